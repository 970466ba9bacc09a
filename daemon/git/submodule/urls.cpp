#include "daemon/git/submodule/urls.hpp"

#include <algorithm>

#include "common/base/url.hpp"
#include "daemon/git/files/text.hpp"

namespace wtpool::git {
namespace {

constexpr std::string_view kNetwork[] = {"https", "http", "ssh", "git", "git+ssh", "ssh+git"};

bool is_scheme(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
}

// Takes the last component off; false when there is none left. With `:` before it the rest is joined by `:` again.
bool chop(std::string& from, bool relative, bool& colon) {
  if (const std::size_t slash = from.rfind('/'); slash != std::string::npos) {
    from.resize(slash);
    return true;
  }
  if (const std::size_t at = from.rfind(':'); at != std::string::npos) {
    from.resize(at);
    colon = true;
    return true;
  }
  if (relative || from == ".") return false;
  from = ".";
  return true;
}

// What a relative URL may not leave: `scheme://host/` or `host:`; of a path nothing.
std::string_view host_part(std::string_view url) {
  if (const std::size_t slashes = url.find("://"); slashes != std::string_view::npos && is_scheme(url.substr(0, slashes))) {
    const std::size_t path = url.find('/', slashes + 3);
    return path == std::string_view::npos ? url : url.substr(0, path + 1);
  }
  return is_url(url) ? url.substr(0, url.find(':') + 1) : url.substr(0, 0);
}

}  // namespace

bool is_relative_url(std::string_view url) { return url.starts_with("./") || url.starts_with("../"); }

bool has_newline(std::string_view url) {
  if (url.find_first_of("\n\r") != std::string_view::npos) return true;
  for (std::size_t at = 0; (at = url.find('%', at)) != std::string_view::npos; ++at) {
    const std::string_view code = url.substr(at + 1, 2);
    if (code == "0a" || code == "0A" || code == "0d" || code == "0D") return true;
  }
  return false;
}

Transport transport_of(std::string_view url) {
  if (url.empty() || url.starts_with('-') || has_newline(url)) return Transport::refused;
  const std::size_t colon = url.find(':');
  if (colon != std::string_view::npos && is_scheme(url.substr(0, colon)) && url.substr(colon).starts_with("::"))
    return Transport::refused;
  if (const std::size_t slashes = url.find("://"); slashes != std::string_view::npos && is_scheme(url.substr(0, slashes))) {
    const std::string_view scheme = url.substr(0, slashes);
    if (scheme == "file") return Transport::local;
    const std::string_view host = url.substr(slashes + 3);
    if (host.empty() || host.starts_with('-')) return Transport::refused;  // ssh would take it for an option
    return std::find(std::begin(kNetwork), std::end(kNetwork), scheme) != std::end(kNetwork) ? Transport::network
                                                                                             : Transport::refused;
  }
  return is_url(url) ? Transport::network : Transport::local;
}

std::optional<std::string> resolved_url(const std::string& source, const std::string& declared) {
  if (!is_relative_url(declared)) return transport_of(declared) == Transport::refused ? std::nullopt : std::optional(declared);
  std::string from = source;
  while (from.size() > 1 && from.ends_with('/')) from.pop_back();
  const bool relative = !is_url(from) && !from.starts_with('/');
  if (relative && !is_relative_url(from)) from.insert(0, "./");
  std::string_view rest = declared;
  bool colon = false;
  for (;;) {
    if (rest.starts_with("../")) {
      if (!chop(from, relative, colon)) return std::nullopt;
      rest.remove_prefix(3);
    } else if (rest.starts_with("./")) {
      rest.remove_prefix(2);
    } else {
      break;
    }
  }
  std::string url = from + (colon ? ":" : "/") + std::string(rest);
  if (url.ends_with('/')) url.pop_back();
  if (url.starts_with("./")) url.erase(0, 2);
  if (transport_of(url) == Transport::refused || transport_of(url) != transport_of(source) ||
      !url.starts_with(host_part(source)))
    return std::nullopt;
  return url;
}

std::optional<std::string> bare_mirror_of(const std::string& base, std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  if (url.ends_with(".git")) url.remove_suffix(4);
  if (const std::size_t slashes = url.find("://"); slashes != std::string_view::npos) {
    const std::size_t path = url.find('/', slashes + 3);  // a host is no component
    if (path == std::string_view::npos) return std::nullopt;
    url.remove_prefix(path + 1);
  }
  const std::size_t last = url.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const std::size_t before = url.find_last_of("/:", last - 1);
  const std::string_view org =
      url.substr(before == std::string_view::npos ? 0 : before + 1, last - (before == std::string_view::npos ? 0 : before + 1));
  const std::string_view repo = url.substr(last + 1);
  for (const std::string_view part : {org, repo})
    if (part.empty() || part == "." || part == "..") return std::nullopt;
  return base + "/" + std::string(org) + "/" + std::string(repo) + ".git";
}

std::string modules_mirror_of(const std::string& base, const std::vector<std::string>& names) {
  std::string path = base + "/.git";
  for (const std::string& name : names) path += "/modules/" + name;
  return path;
}

}  // namespace wtpool::git
