#include <algorithm>
#include <numeric>

#include "client/cli/complete.hpp"
#include "client/cli/options_verbs.hpp"

namespace wtpool::client {
namespace {

constexpr std::size_t kNear = 2;

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t corner = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t kept = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, kept + 1, corner + (a[i] == b[j] ? 0 : 1)});
      corner = kept;
    }
  }
  return row.back();
}

// The choices that an option's type names: TEXT:{start,stop}.
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto from = type.find('{');
  const auto to = type.rfind('}');
  if (from == std::string::npos || to == std::string::npos || to < from) return {};
  return CLI::detail::split(type.substr(from + 1, to - from - 1), ',');
}

Live live_of(const std::string& name) {
  if (name.find("ID") != std::string::npos) return Live::trash;
  if (name.find("NAME") != std::string::npos) return Live::held;
  return name.find("SLOT") != std::string::npos ? Live::slots : Live::none;
}

void keep_beginning_with(std::vector<std::string>& words, const std::string& start) {
  std::erase_if(words, [&start](const std::string& word) { return !word.starts_with(start); });
}

const CLI::Option* option_named(const CLI::App* verb, const std::string& word) {
  for (; verb != nullptr; verb = verb->get_parent()) {
    if (const CLI::Option* option = verb->get_option_no_throw(word)) return option;
  }
  return nullptr;
}

const CLI::App* verb_named(const CLI::App& app, const std::string& word) {
  const auto verbs = app.get_subcommands([&word](const CLI::App* verb) { return verb->get_name() == word; });
  return verbs.empty() ? nullptr : verbs.front();
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_min() > 0; }

struct Place {
  const CLI::App* verb = nullptr;
  std::size_t positionals = 0;            // that stand there already
  const CLI::Option* value_of = nullptr;  // the word being typed is this option's value
};

Place place_of(const CLI::App& app, const std::vector<std::string>& words, Candidates& found) {
  Place place{&app, 0, nullptr};
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {
    const std::string& word = words[at];
    if (const CLI::Option* before = std::exchange(place.value_of, nullptr)) {
      if (before->get_name() == "--pool") found.pool = word;
    } else if (word.starts_with("-")) {
      const CLI::Option* option = option_named(place.verb, word);
      if (option != nullptr && takes_value(*option)) place.value_of = option;
    } else if (const CLI::App* verb = place.positionals == 0 ? verb_named(*place.verb, word) : nullptr) {
      place.verb = verb;
    } else {
      ++place.positionals;
    }
  }
  return place;
}

void add_options(const CLI::App* verb, std::vector<std::string>& words) {
  for (; verb != nullptr; verb = verb->get_parent()) {
    for (const CLI::Option* option : verb->get_options()) {
      for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
    }
  }
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  const auto best = std::ranges::min_element(known, {}, [word](const std::string& each) { return distance(word, each); });
  if (best == known.end() || distance(word, *best) > std::min(kNear, word.size() / 2)) return std::nullopt;
  return *best;
}

Candidates candidates_for(const std::vector<std::string>& words) {
  Candidates found;
  Parsed parsed;
  CLI::App app("", "wtpool");
  cli::Loud loud;
  cli::add_everything(app, parsed, loud);
  const std::string typed = words.empty() ? std::string{} : words.back();
  const Place place = place_of(app, words, found);
  if (place.value_of != nullptr) {
    found.words = choices_of(*place.value_of);
    if (place.value_of->get_name() == "--pool") found.live = Live::pools;
  } else if (typed.starts_with("-")) {
    add_options(place.verb, found.words);
  } else if (const auto verbs = place.verb->get_subcommands({}); !verbs.empty()) {
    for (const CLI::App* verb : verbs) {
      if (!verb->get_group().empty()) found.words.push_back(verb->get_name());
    }
  } else {
    std::vector<const CLI::Option*> positionals;
    for (const CLI::Option* option : place.verb->get_options()) {
      if (option->get_positional()) positionals.push_back(option);
    }
    if (place.positionals < positionals.size()) {
      const CLI::Option& option = *positionals[place.positionals];
      found.words = choices_of(option);
      if (found.words.empty()) found.live = live_of(option.get_name());
    }
  }
  keep_beginning_with(found.words, typed);
  return found;
}

}  // namespace wtpool::client
