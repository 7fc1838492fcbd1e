// Each step on rows that it keeps, changes and drops.
#include "curate/funnel.h"
#include "curation.h"

namespace selene::testing {
namespace {

class Steps : public Curation {
 protected:
  static std::string with(const std::string& step) {
    return recipe("  - " + step + "\n  - pairs\n");
  }
  static std::string long_text(int words, const std::string& word = "word") {
    std::string text;
    for (int i = 0; i < words; ++i) text += word + std::to_string(i * 37 % 101) + " ";
    return text;
  }
};

TEST_F(Steps, CleanTakesOutWhatNoReaderSees) {
  write_rows("rows.jsonl", {row("plain", "A question?", "An answer.", "Yes"),
                            row("marks",
                                "\xEF\xBB\xBF"
                                "A\xE2\x80\x8B question \xE2\x80\xAE?",
                                "Two\r\nlines  \n\n\n\n\nand more.\t\n", "Yes"),
                            row("lost", "What is \xEF\xBF\xBD?", "Nothing.", "No"),
                            row("mojibake", "Caf\xC3\x83\xC2\xA9?", "Yes.", "No"),
                            row("quotes", "It\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2s?", "Yes.", "No"),
                            row("nothing", "Empty?", "\xE2\x80\x8B", "No")});
  const Outcome outcome = curate(with("clean"));
  EXPECT_EQ(outcome.fate.at("plain"), "kept");
  EXPECT_EQ(outcome.fate.at("marks"), "kept");
  EXPECT_EQ(outcome.fate.at("lost"), "broken encoding");
  EXPECT_EQ(outcome.fate.at("mojibake"), "broken encoding");
  EXPECT_EQ(outcome.fate.at("quotes"), "broken encoding");
  EXPECT_EQ(outcome.fate.at("nothing"), "empty after cleaning");
  for (const Json& pair : outcome.pairs) {
    const std::string prompt = pair.at("prompt").back().at("content");
    if (pair.at("provenance").at("id") != "marks") continue;
    EXPECT_NE(prompt.find("A question ?"), std::string::npos) << prompt;
    EXPECT_NE(prompt.find("Two\nlines\n\n\nand more."), std::string::npos) << prompt;
  }
  EXPECT_EQ(outcome.funnel.at("steps")[1].at("total").at("changed").at("line ends made one"), 1);
}

TEST_F(Steps, CleanTakesOutTheBoilerplateThatIsNamed) {
  write_rows("rows.jsonl",
             {row("1", "Tell me.", "As an AI, I think so. &lt;b&gt; &amp;lt;", "Yes")});
  const Outcome outcome = curate(with("clean: {boilerplate: ['As an AI, '], entities: true}"));
  const std::string prompt = outcome.pairs.at(0).at("prompt").back().at("content");
  EXPECT_NE(prompt.find("I think so. <b> &lt;"), std::string::npos) << prompt;
}

TEST_F(Steps, LengthCountsCharactersOfResponses) {
  write_rows("rows.jsonl",
             {row("fits", "Q?", "\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD", "Yes"),
              row("short", "Q?", "ab", "Yes"), row("long", "Q?", std::string(21, 'x'), "No")});
  const Outcome outcome = curate(with("length: {min_response_chars: 3, max_response_chars: 20}"));
  EXPECT_EQ(outcome.fate.at("fits"), "kept");
  EXPECT_EQ(outcome.fate.at("short"), "a response too short");
  EXPECT_EQ(outcome.fate.at("long"), "a response too long");
}

TEST_F(Steps, LanguageKeepsWhatItIsToldAndWhatIsTooShortToTell) {
  write_rows(
      "rows.jsonl",
      {row("en", "What is the capital of the country that lies between these two rivers?",
           "The capital of that country has been the same city for many hundred years.", "Yes"),
       row("de", "Was ist die Hauptstadt des Landes, das zwischen diesen Fl\xC3\xBCssen liegt?",
           "Die Hauptstadt dieses Landes ist seit vielen hundert Jahren dieselbe Stadt.", "No"),
       row("short", "2+2?", "4", "Yes")});
  const Outcome outcome = curate(with("language: {keep: [en]}"));
  EXPECT_EQ(outcome.fate.at("en"), "kept");
  EXPECT_EQ(outcome.fate.at("de"), "language de");
  EXPECT_EQ(outcome.fate.at("short"), "kept");
}

TEST_F(Steps, ExactDuplicatesGoAndOtherQuestionsStay) {
  write_rows("rows.jsonl", {row("first", "Who wrote it?", "She did.", "Yes"),
                            row("layout", "who wrote it", "  SHE DID ", "Yes"),
                            row("label", "Who wrote it?", "She did.", "No"),
                            row("other", "Who wrote it?", "He did.", "No"),
                            row("marks", "?", "!", "Yes"), row("marks2", "!", "?", "Yes")});
  const Outcome outcome = curate(with("exact_duplicates"));
  EXPECT_EQ(outcome.fate.at("first"), "kept");
  EXPECT_EQ(outcome.fate.at("layout"), "exact duplicate");
  EXPECT_EQ(outcome.fate.at("label"), "exact duplicate with another label");
  EXPECT_EQ(outcome.fate.at("other"), "kept");
  EXPECT_EQ(outcome.fate.at("marks2"), "kept");
}

TEST_F(Steps, PairsWithTheirSidesChangedAreDuplicates) {
  const auto pair = [](const char* id, const char* a, const char* b, const char* label) {
    return Json{
        {"id", id}, {"input", "Which?"}, {"response_a", a}, {"response_b", b}, {"label", label}};
  };
  write_rows("rows.jsonl",
             {pair("1", "left one", "right one", "A"), pair("2", "right one", "left one", "B"),
              pair("3", "right one", "left one", "A"), pair("4", "left one", "left one", "A")});
  const Outcome outcome = curate(recipe("  - exact_duplicates\n  - pairs\n", "pairwise",
                                        "id: 'VARCHAR', input: 'VARCHAR', response_a: 'VARCHAR', "
                                        "response_b: 'VARCHAR', label: 'VARCHAR'"));
  EXPECT_EQ(outcome.fate.at("2"), "exact duplicate");
  EXPECT_EQ(outcome.fate.at("3"), "exact duplicate with another label");
  EXPECT_EQ(outcome.fate.at("4"), "kept");
}

TEST_F(Steps, NearDuplicatesNeedLikeResponsesAndLikeInputs) {
  const std::string question = long_text(80, "question");
  const std::string answer = long_text(40, "answer");
  write_rows("rows.jsonl", {row("first", question, answer, "Yes"),
                            row("near", question + "now", answer + "indeed", "Yes"),
                            row("answer", question, long_text(40, "other"), "No"),
                            row("input", long_text(80, "unlike"), answer, "No")});
  const Outcome outcome = curate(with("near_duplicates: {similarity: 0.8}"));
  EXPECT_EQ(outcome.fate.at("first"), "kept");
  EXPECT_EQ(outcome.fate.at("near"), "near duplicate");
  EXPECT_EQ(outcome.fate.at("answer"), "kept");
  EXPECT_EQ(outcome.fate.at("input"), "kept");
  const std::vector<Json> dropped = lines(out() / "dropped.jsonl");
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_NE(dropped[0].at("detail").get<std::string>().find("like rows/first"), std::string::npos)
      << dropped[0];
}

TEST_F(Steps, ContaminationFindsRunsOfWordsAndNearCopies) {
  const std::string item =
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
  write_rows("rows.jsonl",
             {row("clean",
                  "So count from one on: one two three four five six seven eight nine ten eleven "
                  "twelve and stop, will you?",
                  "Yes.", "Yes"),
              row("run",
                  "He said: ONE, two three; four five six seven eight nine ten eleven twelve "
                  "thirteen. So?",
                  "No.", "No"),
              row("near", long_text(30, "benchmark") + "tail", "No.", "No"),
              row("split", "one two three four five six seven",
                  "eight nine ten eleven twelve thirteen", "Yes")});
  curate::Recipe recipe =
      curate::parse_recipe(with("contamination: {words: 13, similarity: 0.8}"), "small.yaml");
  curate::Resources with = resources(recipe);
  const std::string near = long_text(30, "benchmark");
  int read = 0;
  with.benchmarks.push_back({.name = "bench", .missing = "", .each = [&](const auto& use) {
                               ++read;
                               const std::string_view texts[] = {item, near};
                               use("item-1", texts);
                             }});
  with.benchmarks.push_back({.name = "absent", .missing = "data not present: x", .each = {}});
  const Outcome outcome = curate(recipe, with);
  EXPECT_EQ(read, 1) << "also for the look at the pairs";
  EXPECT_EQ(outcome.fate.at("clean"), "kept");
  EXPECT_EQ(outcome.fate.at("split"), "kept");
  EXPECT_EQ(outcome.fate.at("run"), "13 words in common with a benchmark");
  EXPECT_EQ(outcome.fate.at("near"), "near duplicate of a benchmark's text");
  const std::vector<Json> list = lines(out() / "contamination.jsonl");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].at("benchmark"), "bench");
  EXPECT_EQ(list[0].at("item"), "item-1");
  EXPECT_EQ(list[0].at("words"),
            "one two three four five six seven eight nine ten eleven twelve thirteen");
  EXPECT_EQ(outcome.funnel.at("overlaps").at("found"), 0);
  EXPECT_EQ(outcome.funnel.at("overlaps").at("checked"), 2);
  EXPECT_EQ(outcome.funnel.at("benchmarks")[1].at("missing"), "data not present: x");
}

TEST_F(Steps, ContaminationWithoutABenchmarkStops) {
  write_rows("rows.jsonl", {row("1", "Q?", "A.", "Yes")});
  curate::Recipe recipe = curate::parse_recipe(with("contamination"), "small.yaml");
  curate::Resources with = resources(recipe);
  with.benchmarks.push_back({.name = "absent", .missing = "data not present: x", .each = {}});
  EXPECT_NE(error_of([&] { curate(recipe, with); }).find("no benchmark's data was found"),
            std::string::npos);
  with.no_contamination = true;
  EXPECT_EQ(curate(recipe, with).fate.at("1"), "kept");
}

TEST_F(Steps, BalanceLeavesAsManyOfEachLabel) {
  std::vector<Json> rows;
  for (int i = 0; i < 100; ++i)
    rows.push_back(
        row(std::to_string(i), "Q" + std::to_string(i) + "?", "A.", i < 20 ? "No" : "Yes"));
  write_rows("rows.jsonl", rows);
  const Outcome outcome = curate(with("balance: {per_label: 2}"));
  std::map<std::string, int> labels;
  for (const Json& pair : outcome.pairs) ++labels[pair.at("label").get<std::string>()];
  EXPECT_EQ(labels.at("No"), 20);
  EXPECT_EQ(labels.at("Yes"), 40);
  EXPECT_NE(error_of([&] { curate(with("balance: {refuse: 3}")); }).find("too far from balance"),
            std::string::npos);
}

TEST_F(Steps, BalanceChangesSidesOfPairs) {
  std::vector<Json> rows;
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    rows.push_back({{"id", n},
                    {"input", "Which " + n + "?"},
                    {"response_a", "gladly " + n},
                    {"response_b", "hardly " + n},
                    {"label", i < 5 ? "B" : "A"},
                    {"critiques", {"Response {A} is the one, not {B}."}}});
  }
  write_rows("rows.jsonl", rows);
  const std::string columns =
      "id: 'VARCHAR', input: 'VARCHAR', response_a: 'VARCHAR', response_b: 'VARCHAR', "
      "label: 'VARCHAR', critiques: 'VARCHAR[]'";
  const Outcome outcome = curate(recipe(
      "  - balance: {swap_sides: true}\n  - pairs: {one_critique: true}\n", "pairwise", columns));
  std::map<std::string, int> labels;
  for (const Json& pair : outcome.pairs) {
    const std::string label = pair.at("label");
    ++labels[label];
    const std::string prompt = pair.at("prompt").back().at("content");
    const bool better_first = prompt.find("gladly") < prompt.find("hardly");
    const int id = std::stoi(pair.at("provenance").at("id").get<std::string>());
    EXPECT_EQ(better_first, (label == "A") == (id >= 5)) << id;
    // What the critique calls the better one has kept its name.
    const std::string chosen = pair.at("chosen").front().at("content");
    const std::string named =
        id >= 5 ? (label == "A" ? "Response A is the one, not B" : "Response B is the one, not A")
                : (label == "B" ? "Response A is the one, not B" : "Response B is the one, not A");
    EXPECT_NE(chosen.find(named), std::string::npos) << chosen;
  }
  EXPECT_EQ(labels.at("A"), 25);
  EXPECT_EQ(labels.at("B"), 25);
}

TEST_F(Steps, QuotaHoldsATopicToItsShare) {
  std::vector<Json> rows;
  for (int i = 0; i < 60; ++i) {
    Json one =
        row(std::to_string(i), "Q" + std::to_string(i) + "?", "A.", i % 2 == 0 ? "No" : "Yes");
    one["topic"] = i < 40 ? "sport" : i < 50 ? "music" : "art";
    rows.push_back(std::move(one));
  }
  write_rows("rows.jsonl", rows);
  const Outcome outcome = curate(recipe(
      "  - quota: {column: topic, most: 0.5}\n  - pairs\n", "classification",
      "id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR', topic: 'VARCHAR'"));
  std::map<std::string, int> topics;
  for (const Json& pair : outcome.pairs) ++topics[pair.at("stratum").get<std::string>()];
  EXPECT_EQ(topics.at("sport"), 20);
  EXPECT_EQ(topics.at("music"), 10);
  EXPECT_EQ(topics.at("art"), 10);
}

TEST_F(Steps, ASampleHasSoManyRowsOfEachSource) {
  std::vector<Json> rows;
  for (int i = 0; i < 60; ++i)
    rows.push_back(row(std::to_string(i), "Q" + std::to_string(i) + "?", "A.", "No"));
  write_rows("rows.jsonl", rows);
  EXPECT_EQ(curate(with("sample: {rows: 7}")).pairs.size(), 7U);
  EXPECT_EQ(curate(with("sample: {rows: 70}")).pairs.size(), 60U);
  EXPECT_NE(error_of([&] { curate(with("sample")); }).find("'sample' needs 'rows'"),
            std::string::npos);
}

TEST_F(Steps, QualityLooksAtInputsAndCritiques) {
  std::string lines;
  for (int i = 0; i < 30; ++i) lines += "the same line again\n";
  write_rows("rows.jsonl", {row("prose",
                                "Please read this text about the history of the town and say what "
                                "it is about in a few words.",
                                "Fine.", "Yes"),
                            row("lines", lines, "Fine.", "No"),
                            row("response", "What is repeated here?", lines, "No")});
  const Outcome outcome = curate(with("quality"));
  EXPECT_EQ(outcome.fate.at("prose"), "kept");
  EXPECT_EQ(outcome.fate.at("lines"), "repeated lines");
  EXPECT_EQ(outcome.fate.at("response"), "kept");  // A bad response is what a judge has to know.
}

TEST_F(Steps, MixCapsSourcesAndKeepsShares) {
  std::vector<Json> rows;
  for (int i = 0; i < 200; ++i)
    rows.push_back(
        row(std::to_string(i), "Q" + std::to_string(i) + "?", "A.", i % 2 == 0 ? "No" : "Yes"));
  write_rows("rows.jsonl", rows);
  EXPECT_EQ(curate(recipe("  - pairs\nmix: {caps: {rows: 30}}\n")).pairs.size(), 30U);
  EXPECT_EQ(curate(recipe("  - pairs\nmix: {size: 50}\n")).pairs.size(), 50U);
  // However many topics a source has.
  for (size_t i = 0; i < rows.size(); ++i) rows[i]["topic"] = "topic " + std::to_string(i % 40);
  write_rows("rows.jsonl", rows);
  const std::string columns =
      "id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR', topic: 'VARCHAR'";
  EXPECT_EQ(curate(recipe("  - pairs\nmix: {caps: {rows: 30}}\n", "classification", columns))
                .pairs.size(),
            30U);
  EXPECT_NE(error_of([&] {
              curate(recipe("  - pairs\nmix: {kind: {critique: 0.5, verdict: 0.5}}\n"));
            }).find("there are no pairs of it"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              curate(recipe("  - pairs\nmix: {caps: {row: 30}}\n"));
            }).find("names the source 'row'"),
            std::string::npos);
}

// Sixty rows of a topic each, as many as `numbers` say.
class Warned : public Steps {
 protected:
  std::vector<std::string> warnings(const std::map<std::string, int>& numbers,
                                    const std::string& steps) {
    std::vector<Json> rows;
    for (const auto& [topic, number] : numbers) {
      for (int i = 0; i < number; ++i) {
        Json one = row(topic + std::to_string(i), "Q" + topic + std::to_string(i) + "?", "A.",
                       i % 2 == 0 ? "No" : "Yes");
        if (topic != "none") one["topic"] = topic;
        if (i < 3)
          one["critiques"] = one["wrong_critiques"] = {"Said of " + topic + std::to_string(i)};
        rows.push_back(std::move(one));
      }
    }
    write_rows("rows.jsonl", rows);
    curate::Recipe made = curate::parse_recipe(
        recipe(steps, "classification",
               "id: 'VARCHAR', input: 'VARCHAR', response: 'VARCHAR', label: 'VARCHAR', topic: "
               "'VARCHAR', critiques: 'VARCHAR[]', wrong_critiques: 'VARCHAR[]'"),
        "small.yaml");
    curate::Resources with = resources(made);
    std::vector<std::string> said;
    with.warn = [&](std::string_view warning) { said.emplace_back(warning); };
    std::filesystem::remove_all(out());
    outcome_ = curate(made, with);
    const std::vector<std::string> told =
        curate::warnings_of(curate::funnel_from_json(outcome_.funnel));
    EXPECT_EQ(said, told);
    return said;
  }
  Outcome outcome_;
};

using Said = std::vector<std::string>;

TEST_F(Warned, AQuotaThatATopicCannotMeet) {
  EXPECT_EQ(warnings({{"art", 40}}, "  - quota: {most: 0.5}\n  - pairs\n"),
            Said{"quota: the source 'rows' keeps 1 of 40 rows, for 50% of what stays may be of one "
                 "topic and 40 of them are of 'art'; it has 1 topic, so that less than 100% cannot "
                 "be had"});
  EXPECT_EQ(warnings({{"art", 40}, {"music", 4}}, "  - quota: {most: 0.5}\n  - pairs\n"),
            Said{"quota: the source 'rows' keeps 8 of 44 rows, for 50% of what stays may be of one "
                 "topic and 40 of them are of 'art'"});
  EXPECT_EQ(warnings({{"art", 40}, {"none", 30}}, "  - quota: {most: 0.5}\n  - pairs\n"), Said{});
}

TEST_F(Warned, TopicsThatMayTogetherNotBeAll) {
  EXPECT_EQ(
      warnings({{"art", 40}, {"music", 40}}, "  - pairs\nmix: {topic: {art: 0.2, music: 0.2}}\n"),
      Said{"mix: the shares of 'topic' cannot be had: the topics that there are may be 40% of "
           "the mix, all together; 80 of 80 pairs stay, with 'art' 50% (at most 20%), 'music' "
           "50% (at most 20%)"});
  EXPECT_EQ(outcome_.pairs.size(), 80U);
  EXPECT_EQ(warnings({{"art", 90}, {"music", 10}}, "  - pairs\nmix: {topic: {'*': 0.5}}\n"),
            Said{"mix: the shares of 'topic' leave 20 of 100 pairs, with 'art' 50% (at most 50%)"});
  EXPECT_EQ(warnings({{"art", 50}, {"music", 40}}, "  - pairs\nmix: {topic: {'*': 0.5}}\n"),
            Said{});
}

TEST_F(Warned, SharesThatCostMostOfThePairs) {
  EXPECT_EQ(
      warnings({{"art", 40}}, "  - pairs\nmix: {kind: {critique: 0.5, verdict: 0.5}}\n"),
      Said{"mix: the shares of 'kind' leave 6 of 40 pairs: of 'critique', which should be 50%, "
           "there are 3, 7.5% of all"});
  EXPECT_EQ(warnings({{"art", 40}}, "  - pairs\nmix: {kind: {critique: 0.1, verdict: 0.9}}\n"),
            Said{});
}

TEST_F(Warned, MoreThanThereIs) {
  EXPECT_EQ(warnings({{"art", 40}}, "  - pairs\nmix: {size: 50, weights: {rows: 2}}\n"),
            (Said{"mix: 'size' asks for 50 pairs, and there are 40",
                  "mix: the source 'rows' has 40 pairs, and its weight asks for 50"}));
}

}  // namespace
}  // namespace selene::testing
