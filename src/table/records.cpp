// The SELECT is changed as DuckDB's syntax tree, and the tree made SQL again: what reads the file
// is put into a select that numbers its rows, and each select around it names the number as one
// more column.
#include "table/records.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "table/session.h"

namespace selene::table {
namespace {

using Json = nlohmann::ordered_json;

bool is_empty(const Json& node, const char* key) {
  const auto found = node.find(key);
  return found == node.end() || found->is_null() || found->empty() || *found == "";
}

std::string text_of(const Json& node, const char* key) {
  const auto found = node.find(key);
  return found != node.end() && found->is_string() ? found->get<std::string>() : "";
}

// The value of a constant that is a text or a truth value, as text.
std::string constant_of(const Json& node) {
  const auto value = node.find("value");
  if (value == node.end() || !value->is_object() || !value->contains("value")) {
    // TRUE is a cast of 't' to a truth value.
    return node.contains("child") ? constant_of(node.at("child")) : "";
  }
  const Json& constant = value->at("value");
  return constant.is_string() ? constant.get<std::string>() : constant.dump();
}

class Numbering {
 public:
  Numbering() : session_("") {}

  std::optional<RecordSelect> run(std::string_view sql) {
    Json tree = tree_of(sql);
    if (tree.at("statements").size() != 1) return std::nullopt;
    if (!number(tree.at("statements").at(0).at("node"), {})) return std::nullopt;
    found_.sql = sql_of(tree);
    return found_;
  }

 private:
  Json tree_of(std::string_view sql) const {
    Json tree = Json::parse(session_.text("SELECT json_serialize_sql(?::VARCHAR)", sql));
    if (tree.at("error").get<bool>())
      throw Error(fmt::format("the SQL is wrong: {}", text_of(tree, "error_message")));
    return tree;
  }
  std::string sql_of(const Json& tree) const {
    return session_.text("SELECT json_deserialize_sql(?::JSON)", tree.dump());
  }
  static Json& node_of(Json& tree) { return tree.at("statements").at(0).at("node"); }

  // Gives the select the column. `around`: the tables that WITH defines outside of it.
  bool number(Json& node, std::vector<Json*> around) {
    if (text_of(node, "type") != "SELECT_NODE") return false;
    for (const char* key : {"group_expressions", "group_sets", "having", "sample"}) {
      if (!is_empty(node, key)) return false;
    }
    for (const Json& modifier : node.at("modifiers")) {
      if (text_of(modifier, "type") == "DISTINCT_MODIFIER") return false;
    }
    if (!is_empty(node, "cte_map")) around.push_back(&node.at("cte_map").at("map"));
    if (!number_table(node.at("from_table"), around)) return false;
    Json& list = node.at("select_list");
    const bool all = std::any_of(list.begin(), list.end(), [](const Json& one) {
      return text_of(one, "class") == "STAR" && !one.value("columns", false);
    });
    if (!all) list.push_back(column_);
    return true;
  }

  bool number_table(Json& table, const std::vector<Json*>& around) {
    const std::string type = text_of(table, "type");
    if (!is_empty(table, "sample") || !is_empty(table, "column_name_alias")) return false;
    if (type == "TABLE_FUNCTION") return number_file(table);
    if (type == "SUBQUERY") return number(table.at("subquery").at("node"), around);
    if (type != "BASE_TABLE") return false;
    const std::string name = text_of(table, "table_name");
    for (size_t i = around.size(); i > 0; --i) {
      for (Json& one : *around[i - 1]) {
        if (text_of(one, "key") != name) continue;
        if (!is_empty(one.at("value"), "aliases")) return false;
        // What stands before it in the same WITH it may name itself.
        return number(one.at("value").at("query").at("node"),
                      std::vector<Json*>(around.begin(), around.begin() + static_cast<long>(i)));
      }
    }
    return false;
  }

  bool number_file(Json& table) {
    const Json& function = table.at("function");
    const std::string name = text_of(function, "function_name");
    const bool is_csv = name == "read_csv" || name == "read_csv_auto";
    bool lines = name == "read_ndjson" || name == "read_ndjson_auto";
    if (!is_csv && !lines && name != "read_json" && name != "read_json_auto") return false;
    const Json& arguments = function.at("children");
    if (arguments.empty()) return false;
    found_.file = constant_of(arguments.at(0));
    if (found_.file.empty() || found_.file.find_first_of("*?[") != std::string::npos) return false;
    std::string header;
    for (const Json& argument : arguments) {
      if (text_of(argument, "type") != "COMPARE_EQUAL") continue;
      const Json& names = argument.at("left").value("column_names", Json::array());
      if (names.size() != 1) continue;
      const std::string value = constant_of(argument.at("right"));
      if (names[0] == "format") lines = value == "newline_delimited" || value == "nd";
      if (names[0] == "header") header = value;
    }
    if (is_csv ? header.empty() : !lines) return false;
    found_.header = header == "true" || header == "t";
    Json counted = tree_of("SELECT count(*) AS records FROM placeholder");
    node_of(counted)["from_table"] = table;
    found_.count = sql_of(counted);
    Json numbered = tree_of(fmt::format(
        "SELECT {0} FROM (SELECT *, row_number() OVER () AS {0} FROM placeholder) AS {1}",
        RecordSelect::kColumn,
        quoted_name(is_empty(table, "alias") ? name : text_of(table, "alias"))));
    column_ = node_of(numbered).at("select_list").at(0);
    Json outer = node_of(numbered).at("from_table");
    table["alias"] = "";
    outer.at("subquery").at("node")["from_table"] = table;
    table = std::move(outer);
    return true;
  }

  Session session_;
  Json column_;  // A reference to the number.
  RecordSelect found_;
};

}  // namespace

std::optional<RecordSelect> with_records(std::string_view sql) { return Numbering().run(sql); }

}  // namespace selene::table
