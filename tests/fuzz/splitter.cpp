// The first bytes decide the limit and the chunks, the rest is the stream.
#include <algorithm>
#include <vector>

#include "proto/codec/splitter.hpp"
#include "tests/fuzz/targets.hpp"

namespace wtpool::fuzz {
namespace {

using proto::FrameSplitter;

struct Outcome {
  std::vector<std::string> frames;
  bool too_long = false;
  bool partial = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string described(const Outcome& outcome) {
  std::string text = std::to_string(outcome.frames.size()) + " frames";
  if (outcome.too_long) text += ", too long";
  if (outcome.partial) text += ", a partial one";
  return text;
}

// The rules of docs/protocol.md, told again without a buffer.
Outcome expected(std::string_view stream, std::size_t longest) {
  Outcome outcome;
  while (!stream.empty()) {
    const auto newline = stream.find('\n');
    auto line = stream.substr(0, newline);
    if (line.ends_with('\r')) line.remove_suffix(1);
    outcome.too_long = line.size() > longest;
    if (outcome.too_long) return outcome;
    outcome.partial = newline == std::string_view::npos;
    if (outcome.partial) return outcome;
    if (!line.empty()) outcome.frames.emplace_back(line);
    stream.remove_prefix(newline + 1);
  }
  return outcome;
}

// `take_every`: how many chunks are fed between two times that frames are taken out; 0 = only at the end.
Outcome split(std::string_view stream, std::size_t longest, std::string_view sizes, std::size_t take_every) {
  FrameSplitter splitter(longest);
  Outcome outcome;
  const auto take = [&] {
    while (auto frame = splitter.next()) outcome.frames.push_back(std::move(*frame));
  };
  for (std::size_t chunk = 0; !stream.empty(); ++chunk) {
    const auto size = sizes.empty() ? stream.size() : static_cast<unsigned char>(sizes[chunk % sizes.size()]) % 61 + 1u;
    const bool was_too_long = outcome.too_long;
    outcome.too_long = splitter.feed(stream.substr(0, size)) == FrameSplitter::State::too_long;
    holds(outcome.too_long || !was_too_long, "what was too long stays so");
    stream.remove_prefix(std::min<std::size_t>(size, stream.size()));
    if (take_every != 0 && chunk % take_every == 0) take();
  }
  take();
  outcome.partial = splitter.has_partial();
  holds(!splitter.next(), "what was given is not given again");
  return outcome;
}

}  // namespace

void splitter(std::string_view input) {
  constexpr std::size_t kSizes = 3;
  if (input.size() < kSizes + 1) return;
  const auto first = static_cast<unsigned char>(input[0]);
  const std::size_t longest = first == 255 ? proto::kMaxFrame : first % 64;
  const auto sizes = input.substr(1, kSizes);
  const auto stream = input.substr(kSizes + 1);

  const auto model = expected(stream, longest);
  const std::string one(1, '\0');  // a byte at a time
  for (const auto chunks : {std::string_view(), sizes, std::string_view(one)}) {
    for (const std::size_t take_every : {0, 1, 3}) {
      const auto outcome = split(stream, longest, chunks, take_every);
      holds(outcome == model, "any chunks give the same frames: " + described(model) + " became " + described(outcome));
    }
  }
  for (const auto& frame : model.frames) (void)proto::exceeds_limits(frame);
}

}  // namespace wtpool::fuzz
