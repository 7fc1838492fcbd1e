#include "table/cell.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "data/jsonl.h"

namespace selene::table {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCastIt = "CAST it to VARCHAR in the SELECT";

std::string owned_text(char* text) {
  std::string result = text != nullptr ? text : "";
  duckdb_free(text);
  return result;
}

struct TypeName {
  duckdb_type id;
  const char* name;
};
constexpr TypeName kRefused[] = {
    {DUCKDB_TYPE_BLOB, "BLOB"},         {DUCKDB_TYPE_BIT, "BIT"},
    {DUCKDB_TYPE_INTERVAL, "INTERVAL"}, {DUCKDB_TYPE_TIME_TZ, "TIME WITH TIME ZONE"},
    {DUCKDB_TYPE_UNION, "UNION"},       {DUCKDB_TYPE_BIGNUM, "BIGNUM"},
};

void refuse(duckdb_type id) {
  for (const TypeName& type : kRefused) {
    if (type.id == id)
      throw Error(fmt::format("the type {} has no counterpart in JSON", type.name), "", kCastIt);
  }
}

template <typename T>
T at(duckdb_vector vector, std::uint64_t row) {
  return static_cast<const T*>(duckdb_vector_get_data(vector))[row];
}

// Dates and times as DuckDB writes them.
std::string text_of(duckdb_value value) {
  const std::string text = owned_text(duckdb_get_varchar(value));
  duckdb_destroy_value(&value);
  return text;
}

std::string read_text(duckdb_vector vector, std::uint64_t row) {
  auto* const cells = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  std::string text(duckdb_string_t_data(&cells[row]), duckdb_string_t_length(cells[row]));
  if (!is_valid_utf8(text)) throw Error("the text is not UTF-8", "", "save the file as UTF-8");
  return text;
}

Json read_json(const std::string& text) {
  constexpr std::string_view kBefore = "{\"\":";
  return std::move(data::parse_object(std::string(kBefore).append(text).append("}")).front());
}

Json real(double value) {
  if (!std::isfinite(value)) {
    throw Error("the number is NaN or infinite, which JSON cannot hold", "",
                "write nullif(column, 'NaN') in the SELECT, or leave the row out");
  }
  return value;
}

// What the number was before it was stored with less precision: 0.1, not 0.10000000149011612.
Json single(float value) {
  return std::isfinite(value) ? Json(std::strtod(fmt::format("{}", value).c_str(), nullptr))
                              : real(value);
}

Json huge(duckdb_hugeint value) {
  const bool is_small = value.upper == 0 || (value.upper == -1 && (value.lower >> 63) == 1);
  if (!is_small) throw Error("the integer has more than 64 bits", "", kCastIt);
  if (value.upper == 0) return value.lower;
  return static_cast<std::int64_t>(value.lower);
}

Json decimal(const CellType& type, duckdb_vector vector, std::uint64_t row) {
  duckdb_decimal value{type.width, type.scale, {}};
  const auto take = [&](std::int64_t digits) {
    value.value = {static_cast<std::uint64_t>(digits), digits < 0 ? -1 : 0};
  };
  switch (type.stored) {
    case DUCKDB_TYPE_SMALLINT:
      take(at<std::int16_t>(vector, row));
      break;
    case DUCKDB_TYPE_INTEGER:
      take(at<std::int32_t>(vector, row));
      break;
    case DUCKDB_TYPE_BIGINT:
      take(at<std::int64_t>(vector, row));
      break;
    default:
      value.value = at<duckdb_hugeint>(vector, row);
  }
  return type.scale == 0 ? huge(value.value) : Json(duckdb_decimal_to_double(value));
}

size_t enum_index(const CellType& type, duckdb_vector vector, std::uint64_t row) {
  switch (type.stored) {
    case DUCKDB_TYPE_UTINYINT:
      return at<std::uint8_t>(vector, row);
    case DUCKDB_TYPE_USMALLINT:
      return at<std::uint16_t>(vector, row);
    default:
      return at<std::uint32_t>(vector, row);
  }
}

Json list(const CellType& item, duckdb_vector items, std::uint64_t begin, std::uint64_t length) {
  Json values = Json::array();
  for (std::uint64_t i = 0; i < length; ++i) values.push_back(read_cell(item, items, begin + i));
  return values;
}

Json map(const CellType& type, duckdb_vector vector, duckdb_list_entry entry) {
  Json values = Json::object();
  const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  for (std::uint64_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    const Json key = read_cell(type.inner[0], duckdb_struct_vector_get_child(pairs, 0), i);
    values[key.is_string() ? key.get<std::string>() : key.dump()] =
        read_cell(type.inner[1], duckdb_struct_vector_get_child(pairs, 1), i);
  }
  return values;
}

Json structure(const CellType& type, duckdb_vector vector, std::uint64_t row) {
  Json values = Json::object();
  for (size_t i = 0; i < type.names.size(); ++i)
    values[type.names[i]] =
        read_cell(type.inner[i], duckdb_struct_vector_get_child(vector, i), row);
  return values;
}

void read_inner(duckdb_logical_type type, CellType& cell) {
  switch (cell.id) {
    case DUCKDB_TYPE_DECIMAL:
      cell.width = duckdb_decimal_width(type);
      cell.scale = duckdb_decimal_scale(type);
      cell.stored = duckdb_decimal_internal_type(type);
      break;
    case DUCKDB_TYPE_ENUM:
      cell.stored = duckdb_enum_internal_type(type);
      for (idx_t i = 0; i < duckdb_enum_dictionary_size(type); ++i)
        cell.names.push_back(owned_text(duckdb_enum_dictionary_value(type, i)));
      break;
    case DUCKDB_TYPE_LIST:
      cell.inner = {read_type(duckdb_list_type_child_type(type))};
      break;
    case DUCKDB_TYPE_ARRAY:
      cell.size = duckdb_array_type_array_size(type);
      cell.inner = {read_type(duckdb_array_type_child_type(type))};
      break;
    case DUCKDB_TYPE_MAP:
      cell.inner = {read_type(duckdb_map_type_key_type(type)),
                    read_type(duckdb_map_type_value_type(type))};
      break;
    case DUCKDB_TYPE_STRUCT:
      for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
        cell.names.push_back(owned_text(duckdb_struct_type_child_name(type, i)));
        cell.inner.push_back(read_type(duckdb_struct_type_child_type(type, i)));
      }
      break;
    default:
      break;
  }
}

}  // namespace

CellType read_type(duckdb_logical_type type) {
  const auto destroy = [](duckdb_logical_type one) { duckdb_destroy_logical_type(&one); };
  const std::unique_ptr<std::remove_pointer_t<duckdb_logical_type>, decltype(destroy)> owned(
      type, destroy);
  CellType cell;
  cell.id = duckdb_get_type_id(type);
  refuse(cell.id);
  cell.is_json = owned_text(duckdb_logical_type_get_alias(type)) == "JSON";
  read_inner(type, cell);
  return cell;
}

Json read_cell(const CellType& type, duckdb_vector vector, std::uint64_t row) {
  std::uint64_t* const validity = duckdb_vector_get_validity(vector);
  if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) return nullptr;
  switch (type.id) {
    case DUCKDB_TYPE_SQLNULL:
      return nullptr;
    case DUCKDB_TYPE_BOOLEAN:
      return at<bool>(vector, row);
    case DUCKDB_TYPE_TINYINT:
      return at<std::int8_t>(vector, row);
    case DUCKDB_TYPE_SMALLINT:
      return at<std::int16_t>(vector, row);
    case DUCKDB_TYPE_INTEGER:
      return at<std::int32_t>(vector, row);
    case DUCKDB_TYPE_BIGINT:
      return at<std::int64_t>(vector, row);
    case DUCKDB_TYPE_UTINYINT:
      return at<std::uint8_t>(vector, row);
    case DUCKDB_TYPE_USMALLINT:
      return at<std::uint16_t>(vector, row);
    case DUCKDB_TYPE_UINTEGER:
      return at<std::uint32_t>(vector, row);
    case DUCKDB_TYPE_UBIGINT:
      return at<std::uint64_t>(vector, row);
    case DUCKDB_TYPE_HUGEINT:
      return huge(at<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_UHUGEINT: {
      const auto value = at<duckdb_uhugeint>(vector, row);
      return huge({value.lower, value.upper == 0 ? 0 : 1});
    }
    case DUCKDB_TYPE_FLOAT:
      return single(at<float>(vector, row));
    case DUCKDB_TYPE_DOUBLE:
      return real(at<double>(vector, row));
    case DUCKDB_TYPE_DECIMAL:
      return decimal(type, vector, row);
    case DUCKDB_TYPE_VARCHAR: {
      std::string text = read_text(vector, row);
      return type.is_json ? read_json(text) : Json(std::move(text));
    }
    case DUCKDB_TYPE_ENUM:
      return type.names.at(enum_index(type, vector, row));
    case DUCKDB_TYPE_UUID: {
      // Stored with the first bit turned, so that it sorts as a signed integer.
      auto value = at<duckdb_hugeint>(vector, row);
      const auto upper = static_cast<std::uint64_t>(value.upper) ^ (std::uint64_t{1} << 63);
      return text_of(duckdb_create_uuid({value.lower, upper}));
    }
    case DUCKDB_TYPE_DATE:
      return text_of(duckdb_create_date(at<duckdb_date>(vector, row)));
    case DUCKDB_TYPE_TIME:
      return text_of(duckdb_create_time(at<duckdb_time>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP:
      return text_of(duckdb_create_timestamp(at<duckdb_timestamp>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_S:
      return text_of(duckdb_create_timestamp_s(at<duckdb_timestamp_s>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_MS:
      return text_of(duckdb_create_timestamp_ms(at<duckdb_timestamp_ms>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_NS:
      return text_of(duckdb_create_timestamp_ns(at<duckdb_timestamp_ns>(vector, row)));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return text_of(duckdb_create_timestamp_tz(at<duckdb_timestamp>(vector, row)));
    case DUCKDB_TYPE_LIST: {
      const auto entry = at<duckdb_list_entry>(vector, row);
      return list(type.inner[0], duckdb_list_vector_get_child(vector), entry.offset, entry.length);
    }
    case DUCKDB_TYPE_ARRAY:
      return list(type.inner[0], duckdb_array_vector_get_child(vector), row * type.size, type.size);
    case DUCKDB_TYPE_MAP:
      return map(type, vector, at<duckdb_list_entry>(vector, row));
    case DUCKDB_TYPE_STRUCT:
      return structure(type, vector, row);
    default:
      throw Error(fmt::format("DuckDB's type {} is not known here", static_cast<int>(type.id)), "",
                  kCastIt);
  }
}

}  // namespace selene::table
