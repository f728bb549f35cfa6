//! The rules of style that no linter knows (CONTRIBUTING.md).

use std::path::{Path, PathBuf};
use std::process::Command;

const MOST_LINES: usize = 400;
const MOST_COLUMNS: usize = 120;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files that git tracks or would track.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let names = String::from_utf8(listed.stdout).unwrap();
    names.lines().filter(|name| root().join(name).is_file()).map(ToOwned::to_owned).collect()
}

fn is_code(name: &str) -> bool {
    ends(name, &["rs", "html", "sh", "css", "js", "py"]) || name == "Makefile"
}

fn ends(name: &str, endings: &[&str]) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

fn faults(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if is_code(name) && text.lines().count() > MOST_LINES {
        faults.push(format!("{name}: more than {MOST_LINES} lines"));
    }
    if ends(name, &["rs"]) && !text.starts_with("//!") {
        faults.push(format!("{name}: no //! says what it is for"));
    }
    for (number, line) in text.lines().enumerate() {
        let at = format!("{name}:{}", number + 1);
        if (is_code(name) || ends(name, &["yaml", "md"])) && line.chars().count() > MOST_COLUMNS {
            faults.push(format!("{at}: longer than {MOST_COLUMNS} columns"));
        }
        if line.ends_with([' ', '\t']) {
            faults.push(format!("{at}: white space at the end"));
        }
        if ends(name, &["rs"]) && !name.ends_with("tidy.rs") {
            for word in ["todo!(", "unimplemented!(", "#[ignore", "dbg!(", "FIXME"] {
                if line.contains(word) {
                    faults.push(format!("{at}: {word}"));
                }
            }
            for word in ["Manager", "Helper", "Util", "MyService"] {
                let named = ["struct ", "enum ", "trait ", "mod "].iter().any(|kind| line.contains(kind));
                if named && line.contains(word) {
                    faults.push(format!("{at}: a name with {word}"));
                }
            }
        }
    }
    faults
}

#[test]
fn the_tree_is_tidy() {
    let mut found = Vec::new();
    for name in files().iter().filter(|name| !name.ends_with("Cargo.lock")) {
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            found.extend(faults(name, &text));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn what_is_untidy_is_found() {
    let long = format!("//! x\n{}\n", "x".repeat(121));
    for (name, text) in [
        ("a.rs", long.as_str()),
        ("a.rs", "fn x() {}\n"),
        ("a.rs", "//! x\nfn x() { todo!() }\n"),
        ("a.rs", "//! x\nstruct KeyManager;\n"),
        ("a.rs", &format!("//! x\n{}", "\n".repeat(400))),
        ("a.md", "x \n"),
    ] {
        assert_eq!(faults(name, text).len(), 1, "{name} {text:.40}");
    }
}

#[test]
fn the_architecture_is_short() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() < 150);
}

#[test]
fn every_forge_does_what_ci_run_does() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let run = read(".ci/run");
    let parts = run.lines().filter_map(|line| line.strip_prefix("part "));
    let targets = parts.filter_map(|part| part.split(" make ").nth(1)?.split(' ').next());
    let mut targets: Vec<&str> = targets.collect();
    targets.sort_unstable();
    assert!(targets.contains(&"test"), "{targets:?}");
    for (name, list) in [(".github/workflows/ci.yml", "target: ["), (".gitlab-ci.yml", "TARGET: [")] {
        let text = read(name);
        let listed = text.split(list).nth(1).and_then(|rest| rest.split(']').next());
        let mut listed: Vec<&str> = listed.unwrap().split(", ").collect();
        listed.sort_unstable();
        assert_eq!(listed, targets, "{name}");
    }
}

#[test]
fn dependencies_point_one_way() {
    let order = ["domain", "store", "edge", "api", "local", "tests"];
    let manifests = [
        ("domain", "shared/domain"),
        ("store", "shared/store"),
        ("edge", "shared/edge"),
        ("api", "functions/api"),
        ("local", "infra/local"),
        ("tests", "tests"),
    ];
    let names = [
        ("domain", "purser-domain"),
        ("store", "purser-store"),
        ("edge", "purser-edge"),
        ("api", "purser-api"),
        ("local", "purser.workspace"),
        ("tests", "purser-tests"),
    ];
    let rank = |crate_: &str| order.iter().position(|name| *name == crate_).unwrap();
    for (crate_, folder) in manifests {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        for (other, name) in names {
            let uses = dependencies.lines().any(|line| line.starts_with(name));
            assert!(!uses || rank(other) < rank(crate_), "{crate_} depends on {other}");
        }
    }
    // What an operator runs knows the rules and the API, and nothing of what stands behind that.
    let operator = std::fs::read_to_string(root().join("infra/operator/Cargo.toml")).unwrap();
    let own = operator.split("[dev-dependencies]").next().unwrap();
    let own: Vec<&str> = own.lines().filter(|it| it.starts_with("purser")).collect();
    assert_eq!(own, ["purser-domain.workspace = true"]);
}
