#include "judge/verify.h"

#include <gtest/gtest.h>

#include <set>

namespace selene::judge {
namespace {

TEST(Verify, NoRowIsTheReferenceAgain) {
  for (const int threads : {1, 2, 3, 4, 8}) {
    SCOPED_TRACE(threads);
    const std::vector<Circumstance> all = verify_circumstances(threads);
    EXPECT_GE(all.size(), 12u);
    EXPECT_EQ(all[0].name, "reference");
    std::set<std::string> names;
    for (const Circumstance& one : all) {
      EXPECT_TRUE(names.insert(one.name).second) << one.name;
      const bool differs_by_threads = one.threads != 0 && one.max_slots == 0 &&
                                      one.batch_tokens == 0 &&
                                      one.arrangement == Circumstance::Arrangement::AsGiven;
      EXPECT_FALSE(differs_by_threads && one.threads == threads) << one.name;
    }
    EXPECT_EQ(names.contains("1 thread"), threads > 1);
  }
}

}  // namespace
}  // namespace selene::judge
