//! `mindseye doctor`: checks the machine, the database and the models, and says in plain words what to do.

use std::path::Path;
use std::process::Command;

use services::db;

use crate::config::Config;
use crate::{postgres, workers};

/// One finding: what was looked at, how it is, and what to do if it is not well.
struct Finding {
    what: &'static str,
    well: bool,
    says: String,
}

/// Prints the findings; fails if anything would keep the studio from running.
pub async fn run(config: &Config) -> Result<(), String> {
    let findings = [
        machine(),
        data(&config.data),
        database(config).await,
        worker_program(config),
        models(config),
        site(config),
        port(config),
    ];
    for finding in &findings {
        let mark = if finding.well { "ok  " } else { "FIX " };
        eprintln!("{mark}{:<10} {}", finding.what, finding.says);
    }
    match findings.iter().filter(|finding| !finding.well).count() {
        0 => {
            eprintln!("All is well. `make run` (or `mindseye serve`) starts the studio.");
            Ok(())
        }
        1 => Err("one thing needs attention, see above".into()),
        many => Err(format!("{many} things need attention, see above")),
    }
}

fn machine() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let features = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let vectors = ["avx512f", "avx2"].into_iter().find(|name| features.contains(name));
    let memory_gb = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| text.lines().next()?.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or(0.0, |kilobytes| kilobytes / 1e6);
    let says = format!(
        "{cores} cores, {memory_gb:.0} GB of memory, vector instructions: {}",
        vectors.unwrap_or("basic ones only, pictures will take longer")
    );
    Finding { what: "machine", well: true, says }
}

fn data(folder: &Path) -> Finding {
    let probe = folder.join(".doctor");
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&probe, b"x"));
    let _ = std::fs::remove_file(&probe);
    let (well, says) = match written {
        Ok(()) => (true, format!("{} can be written", folder.display())),
        Err(error) => {
            (false, format!("{} can't be written ({error}): set MINDSEYE_DATA to a folder of yours", folder.display()))
        }
    };
    Finding { what: "data", well, says }
}

async fn database(config: &Config) -> Finding {
    let (well, says) = match &config.database_url {
        Some(url) => match db::connect(url, 1).await {
            Ok(pool) if db::is_up(&pool).await => (true, "the database of DATABASE_URL answers".to_owned()),
            Ok(_) => (false, "the database of DATABASE_URL does not answer: is it running?".to_owned()),
            Err(error) => (false, format!("DATABASE_URL does not work ({error}): correct it or start that database")),
        },
        None => match postgres::find_programs() {
            Some(folder) => (true, format!("a private Postgres will be run with {}", folder.display())),
            None => (false, "no PostgreSQL found: run `make setup`, or set DATABASE_URL".to_owned()),
        },
    };
    Finding { what: "database", well, says }
}

fn worker_program(config: &Config) -> Finding {
    let program = workers::program();
    let well = program.is_file();
    let says = if well {
        format!("{}; local workers: {}", program.display(), list(&config.workers))
    } else {
        format!("{} is missing: run `make build`", program.display())
    };
    Finding { what: "workers", well, says }
}

fn list(devices: &[String]) -> String {
    if devices.is_empty() { "none".into() } else { devices.join(", ") }
}

fn models(config: &Config) -> Finding {
    let listed = Command::new(workers::program()).args(["models", "--models"]).arg(&config.models).output();
    let (well, says) = match listed {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
            let well = output.status.success() && !text.contains("can't be used");
            let hint = if well { "" } else { ". Set MINDSEYE_MODELS to a folder of models in the diffusers layout" };
            (well, format!("{text}{hint}"))
        }
        Err(error) => (false, format!("models can't be listed: {error}")),
    };
    Finding { what: "models", well, says }
}

fn site(config: &Config) -> Finding {
    let well = config.site_root.join("pkg").is_dir();
    let says = if well {
        format!("the pages are built in {}", config.site_root.display())
    } else {
        format!("the pages are not built in {}: run `make build`", config.site_root.display())
    };
    Finding { what: "site", well, says }
}

fn port(config: &Config) -> Finding {
    let (well, says) = match std::net::TcpListener::bind(config.addr) {
        Ok(_) => (true, format!("{} is free", config.addr)),
        Err(error) => {
            (false, format!("{} can't be used ({error}): stop what is there or set MINDSEYE_ADDR", config.addr))
        }
    };
    Finding { what: "address", well, says }
}
