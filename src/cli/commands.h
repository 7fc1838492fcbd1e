// The commands of the program, one file each. Each adds its subcommand to the app; its callback
// sets `exit_code`.
#pragma once

#include <CLI/App.hpp>

namespace selene::cli {

// Exit codes of every command (docs/cli.md).
inline constexpr int kExitOk = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitGateFailed = 3;
inline constexpr int kExitInterrupted = 130;

void add_judge_command(CLI::App& app, int& exit_code);
void add_check_command(CLI::App& app, int& exit_code);
void add_check_init_command(CLI::App& check, int& exit_code);    // selene check init
void add_check_label_command(CLI::App& check, int& exit_code);   // selene check label
void add_check_import_command(CLI::App& check, int& exit_code);  // selene check import
void add_bench_command(CLI::App& app, int& exit_code);
// Under `selene bench`.
void add_bench_compare_command(CLI::App& bench, int& exit_code);
void add_bench_export_command(CLI::App& bench, int& exit_code);
void add_bench_pull_command(CLI::App& bench, int& exit_code);
void add_bench_report_command(CLI::App& bench, int& exit_code);
void add_bench_robustness_command(CLI::App& bench, int& exit_code);
void add_bench_run_command(CLI::App& bench, int& exit_code);
void add_curate_command(CLI::App& app, int& exit_code);
// Under `selene curate`.
void add_curate_explain_command(CLI::App& curate, int& exit_code);
void add_curate_report_command(CLI::App& curate, int& exit_code);
void add_curate_show_command(CLI::App& curate, int& exit_code);
void add_arena_command(CLI::App& app, int& exit_code);
// Under `selene arena`.
void add_arena_add_command(CLI::App& arena_command, int& exit_code);
void add_arena_audit_command(CLI::App& arena_command, int& exit_code);
void add_arena_board_command(CLI::App& arena_command, int& exit_code);
void add_arena_export_command(CLI::App& arena_command, int& exit_code);
void add_arena_import_command(CLI::App& arena_command, int& exit_code);
void add_arena_init_command(CLI::App& arena_command, int& exit_code);
void add_arena_panel_command(CLI::App& arena_command, int& exit_code);
void add_arena_serve_command(CLI::App& arena_command, int& exit_code);
void add_arena_simulate_command(CLI::App& arena_command, int& exit_code);
void add_arena_vote_command(CLI::App& arena_command, int& exit_code);
void add_train_command(CLI::App& app, int& exit_code);
void add_train_plot_command(CLI::App& train, int& exit_code);  // selene train plot
void add_templates_command(CLI::App& app, int& exit_code);
void add_models_command(CLI::App& app, int& exit_code);
// Under `selene models`.
void add_models_convert_commands(CLI::App& models, int& exit_code);  // convert, quantize, merge
void add_models_diff_command(CLI::App& models, int& exit_code);
void add_models_info_command(CLI::App& models, int& exit_code);
void add_tune_command(CLI::App& models, int& exit_code);
void add_ledger_command(CLI::App& app, int& exit_code);
void add_verify_command(CLI::App& app, int& exit_code);
void add_doctor_command(CLI::App& app, int& exit_code);

}  // namespace selene::cli
