//! `mindseye simulate`: all dispatchers on a workload file, as tables and a picture.

use std::path::PathBuf;

use clap::Args;
use dispatch::Policy;
use dispatch::simulate::{Workload, compare, picture};

/// What to simulate.
#[derive(Debug, Args)]
pub struct Simulate {
    /// A workload file, such as docs/workloads/home.toml.
    workload: PathBuf,
    /// Loads to try instead of the file's: 0.6,0.85
    #[arg(long, value_delimiter = ',')]
    loads: Vec<f64>,
    /// A video stays on the worker where it began.
    #[arg(long)]
    no_moves: bool,
    /// A folder for the picture of the highest load.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Prints the tables, and draws the picture if a folder is given.
///
/// # Errors
/// A sentence that names the file or the field that is wrong.
#[expect(clippy::print_stdout, reason = "the tables are what the command is for")]
pub fn run(simulate: &Simulate) -> Result<(), String> {
    let file = &simulate.workload;
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| told(&error))?;
    let mut workload: Workload = toml::from_str(&text).map_err(|error| told(&error))?;
    if !simulate.loads.is_empty() {
        workload.loads.clone_from(&simulate.loads);
    }
    workload.check().map_err(|error| told(&error))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut policy = Policy::default();
    policy.moves = policy.moves.filter(|_| !simulate.no_moves);
    let comparisons = compare(&workload, &policy, threads);
    for comparison in &comparisons {
        println!("Load {:.2}\n\n{}", comparison.load, comparison.table(&workload));
    }
    let highest = comparisons.iter().max_by(|a, b| a.load.total_cmp(&b.load));
    if let (Some(folder), Some(highest)) = (&simulate.out, highest)
        && let Some(svg) = picture(&workload, highest)
    {
        let path = folder.join(file.with_extension("svg").file_name().unwrap_or_default());
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, svg))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        println!("Drawn: {}", path.display());
    }
    Ok(())
}
