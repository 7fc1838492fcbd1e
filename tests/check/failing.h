// The message of the Error that a call throws; a test fails when it throws none.
#pragma once

#include <gtest/gtest.h>
#include <string>

#include "core/error.h"

namespace selene::testing {

template <typename Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& failure) {
    return failure.what();
  }
  ADD_FAILURE() << "no Error";
  return "";
}

}  // namespace selene::testing
