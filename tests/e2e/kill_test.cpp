// A run that is killed again and again, at random moments, ends with the bytes of one run straight
// through; its ledger has each judgment once and is sound.
#include <random>

#include <fmt/format.h>

#include "default_model.h"
#include "program.h"

namespace selene::testing {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kKills = 50;
constexpr int kRows = 24;

using KilledProgram = DefaultModelTest;

std::string mixed_rows() {
  std::string rows;
  for (int i = 0; i < kRows; ++i) {
    Json row{{"id", i}, {"input", "Name a number."}};
    if (i % 3 == 0) {
      row.update({{"task", "pairwise"}, {"response_a", fmt::format("{}", i)}, {"response_b", "?"}});
    } else {
      row.update({{"task", i % 3 == 1 ? "absolute" : "classification"},
                  {"response", fmt::format("{}, my friend.", 10 + i)}});
    }
    rows += row.dump() + "\n";
  }
  return rows;
}

TEST_F(KilledProgram, FiftyKillsAtRandomLoseNothingAndChangeNothing) {
  const TemporaryFolder folder;
  const std::string samples = folder.file("samples.jsonl", mixed_rows());
  const auto call = [&](const std::string& name) {
    return judge_call({samples, "--order", "both", "--max-tokens", "12", "--kv-mib", "8",
                       "--ledger", folder / (name + ".sqlite"), "--out",
                       folder / (name + ".jsonl")});
  };
  const Finished straight = run(call("straight"));
  ASSERT_EQ(straight.exit_code, 0) << straight.err;
  const std::string expected = slurp(folder / "straight.jsonl");
  const auto records = [&](const std::string& name) {
    const Finished stats =
        run({"ledger", "stats", "--json", "--ledger", folder / (name + ".sqlite")});
    return Json::parse(stats.out).at("records").get<int>();
  };
  const int expected_records = records("straight");
  EXPECT_EQ(expected_records, kRows + kRows / 3);

  // Kills go on, in a run begun anew where one got through, until there were fifty.
  const auto seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  int kills = 0;
  int runs = 0;
  for (; kills < kKills; ++runs) {
    const std::string name = fmt::format("killed-{}", runs);
    for (;;) {
      const auto moment =
          std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % 1200);
      Running running(call(name));
      while (!running.ended() && (kills >= kKills || std::chrono::steady_clock::now() < moment)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (kills < kKills) running.signal(SIGKILL);
      const Finished finished = running.wait();
      if (finished.exit_code == 0) break;
      ASSERT_EQ(finished.exit_code, 128 + SIGKILL) << finished.err;
      ++kills;
      // The output comes into being last and whole: a kill after that came too late to matter.
      if (std::filesystem::exists(folder / (name + ".jsonl"))) break;
    }
    EXPECT_EQ(slurp(folder / (name + ".jsonl")), expected);
    EXPECT_EQ(records(name), expected_records);
    EXPECT_FALSE(std::filesystem::exists(folder / (name + ".jsonl.part")));
  }
  RecordProperty("kills", kills);
  RecordProperty("runs", runs);
  fmt::print("{} kills in {} runs\n", kills, runs);
}

}  // namespace
}  // namespace selene::testing
