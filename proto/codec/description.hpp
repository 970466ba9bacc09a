// What the codec knows of every message, for whoever documents or checks the protocol: the same tables that decode and
// encode. Values without JSON; every function is pure and may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace wtpool::proto {

enum class FieldType { text, choice, time, integer, number, boolean, texts, integers, counts, id, object, objects };

[[nodiscard]] std::string_view to_text(FieldType type);

struct FieldInfo {
  std::string_view name{};
  FieldType type = FieldType::text;
  bool required = false;  // must be in a request; is always in what the daemon sends
  bool nullable = false;  // may be null
  std::optional<std::int64_t> minimum{};
  std::optional<std::int64_t> maximum{};
  std::vector<std::string_view> choices{};
  std::vector<FieldInfo> children{};  // of object and objects
  std::string_view schema{};          // the name of that object's schema
  std::string_view meaning{};
};

enum class ResultForm { object, array, document };  // array: of such objects; document: the OpenRPC document

struct MethodInfo {
  std::string_view name;
  std::string_view meaning;
  std::vector<FieldInfo> params;
  ResultForm form = ResultForm::object;
  std::string_view schema;  // the name of the result's schema
  std::vector<FieldInfo> result;
};

struct NotificationInfo {
  std::string_view name;
  std::string_view meaning;
  bool from_client = false;
  std::vector<FieldInfo> params;
};

[[nodiscard]] std::vector<MethodInfo> describe_methods();
[[nodiscard]] std::vector<NotificationInfo> describe_notifications();
[[nodiscard]] std::vector<FieldInfo> describe_error_data();

}  // namespace wtpool::proto
