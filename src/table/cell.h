// DuckDB's cells as JSON.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace selene::table {

// A column's type with all below it.
struct CellType {
  duckdb_type id = DUCKDB_TYPE_INVALID;
  bool is_json = false;                      // Text that is JSON.
  std::uint8_t width = 0, scale = 0;         // Decimals.
  duckdb_type stored = DUCKDB_TYPE_INVALID;  // Decimals and enums: the integer in the vector.
  std::uint64_t size = 0;                    // Arrays.
  std::vector<std::string> names;            // Fields of a struct, values of an enum.
  std::vector<CellType> inner;               // List, array: one; map: key, value; struct: fields.
};

// Throws Error without a place when no JSON value stands for it. Takes over `type`.
CellType read_type(duckdb_logical_type type);

// The cell `row` of a flat vector. Throws Error without a place: NaN and infinities, integers of
// more than 64 bits, text that is not UTF-8.
nlohmann::ordered_json read_cell(const CellType& type, duckdb_vector vector, std::uint64_t row);

}  // namespace selene::table
