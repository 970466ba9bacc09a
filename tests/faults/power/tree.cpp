#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/faults/power/disk.hpp"

namespace wtpool::test::power {
namespace {

void read_into(Tree& tree, Inode into, const fs::path& directory) {
  for (const auto& item : fs::directory_iterator(directory)) {
    const auto status = item.symlink_status();
    Node node;
    node.mode = static_cast<mode_t>(status.permissions());
    if (fs::is_symlink(status)) {
      node.kind = Node::Kind::symlink;
      node.data = fs::read_symlink(item.path()).string();
    } else if (fs::is_directory(status)) {
      node.kind = Node::Kind::directory;
    } else if (fs::is_regular_file(status)) {
      node.data = read_text(item.path());
    } else {
      continue;
    }
    const Inode made = tree.nodes.size();
    tree.nodes.push_back(node);
    tree.nodes[into].entries[item.path().filename().string()] = made;
    if (node.kind == Node::Kind::directory) read_into(tree, made, item.path());
  }
}

void write_node(const Tree& tree, const Node& from, const fs::path& to) {
  for (const auto& [name, inode] : from.entries) {
    const Node& node = tree.nodes[inode];
    switch (node.kind) {
      case Node::Kind::symlink:
        fs::create_symlink(node.data, to / name);
        break;
      case Node::Kind::file:
        write_text(to / name, node.data);
        fs::permissions(to / name, static_cast<fs::perms>(node.mode & 0777));
        break;
      case Node::Kind::directory:
        fs::create_directory(to / name);
        write_node(tree, node, to / name);
        fs::permissions(to / name, static_cast<fs::perms>(node.mode & 0777));
        break;
    }
  }
}

std::string difference_below(const Tree& one, Inode in_one, const Tree& other, Inode in_other, const std::string& where) {
  const Node& a = one.nodes[in_one];
  const Node& b = other.nodes[in_other];
  if (a.kind != b.kind) return where + " is not of the same kind";
  if (a.kind != Node::Kind::directory && a.data != b.data)
    return where + ": " + std::to_string(a.data.size()) + " bytes here, " + std::to_string(b.data.size()) + " other ones there";
  for (const auto& [name, inode] : a.entries) {
    const auto found = b.entries.find(name);
    if (found == b.entries.end()) return where + "/" + name + " is only here";
    if (auto text = difference_below(one, inode, other, found->second, where + "/" + name); !text.empty()) return text;
  }
  for (const auto& [name, inode] : b.entries)
    if (!a.entries.contains(name)) return where + "/" + name + " is only there";
  return {};
}

}  // namespace

std::optional<Inode> Tree::inode_of(const fs::path& path) const {
  Inode at = 0;
  for (const auto& part : path) {
    if (part.empty() || part == ".") continue;
    const auto found = nodes[at].entries.find(part.string());
    if (found == nodes[at].entries.end()) return std::nullopt;
    at = found->second;
  }
  return at;
}

const Node* Tree::find(const fs::path& path) const {
  const auto inode = inode_of(path);
  return inode ? &nodes[*inode] : nullptr;
}

Tree Tree::of(const fs::path& directory) {
  Tree tree;
  read_into(tree, 0, directory);
  return tree;
}

void Tree::write_to(const fs::path& directory) const { write_node(*this, nodes[0], directory); }

std::string Tree::difference(const Tree& other) const { return difference_below(*this, 0, other, 0, ""); }

void apply(Tree& tree, const Effect& effect) {
  const auto nodes = [&](Inode inode) -> Node& {
    if (inode >= tree.nodes.size()) tree.nodes.resize(inode + 1);
    return tree.nodes[inode];
  };
  switch (effect.kind) {
    case Effect::Kind::make: {
      Node& made = nodes(effect.inode);
      made.kind = effect.node;
      made.mode = effect.mode;
      if (effect.node == Node::Kind::symlink) made.data = effect.bytes;
      tree.nodes[effect.parent].entries[effect.name] = effect.inode;
      break;
    }
    case Effect::Kind::link:
      nodes(effect.parent).entries[effect.name] = effect.inode;
      break;
    case Effect::Kind::rename:
      nodes(effect.parent).entries.erase(effect.name);
      nodes(effect.new_parent).entries[effect.new_name] = effect.inode;
      break;
    case Effect::Kind::unlink:
      nodes(effect.parent).entries.erase(effect.name);
      break;
    case Effect::Kind::write: {
      std::string& data = nodes(effect.inode).data;
      if (data.size() < effect.offset + effect.bytes.size()) data.resize(effect.offset + effect.bytes.size(), '\0');
      data.replace(effect.offset, effect.bytes.size(), effect.bytes);
      break;
    }
    case Effect::Kind::truncate:
      nodes(effect.inode).data.resize(effect.offset, '\0');
      break;
    case Effect::Kind::mode:
      nodes(effect.inode).mode = effect.mode;
      break;
    case Effect::Kind::sync:
    case Effect::Kind::write_out:
    case Effect::Kind::sync_all:
    case Effect::Kind::said:
    case Effect::Kind::answered:
      break;
  }
}

}  // namespace wtpool::test::power
