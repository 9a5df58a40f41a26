//! The `engine` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic is our error, not the user's: it has an exit code of its own.
    let exit = std::panic::catch_unwind(|| guided_response::cli::main(std::env::args_os())).unwrap_or(guided_response::cli::Exit::Internal);
    ExitCode::from(exit as u8)
}
