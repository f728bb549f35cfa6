//! `make costs`: prints what a month costs at list prices. `--write FILE` also writes it between the two marks in
//! that file.

use std::path::Path;
use std::process::ExitCode;

use purser_bench::costs;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    eprintln!("Measuring …");
    let report = costs::report().await;
    print!("{report}");
    let written = match arguments.as_slice() {
        [] => Ok(()),
        ["--write", file] => write(Path::new(file), &report),
        _ => Err("usage: costs [--write FILE]".to_owned()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("costs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(file: &Path, report: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let text = costs::quoting(&text, report).ok_or("the file does not contain the two marks")?;
    std::fs::write(file, text).map_err(|error| error.to_string())
}
