//! No module imports, directly or through others, a module that imports it. Imports between a module and those inside
//! it do not count, but importing a module also imports what it passes on from those inside it (`pub use`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::tidy::{files, root};

const CRATES: [&str; 10] = [
    "shared/domain",
    "shared/store",
    "shared/edge",
    "shared/charts",
    "shared/mails",
    "functions/api",
    "functions/portal",
    "functions/lambda",
    "infra/local",
    "infra/demo",
];

/// The modules that each module of a crate imports. Paths begin below the crate's root.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The path of the module in a file: `money::wallet` for `money/wallet/mod.rs`, empty for the crate's root.
fn module(file: &str) -> String {
    let mut parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(last)) {
        parts.pop();
    }
    parts.join("::")
}

/// The code of a file without its comments and its test module.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every path that begins with `crate`, `super` or `self`; a group in braces gives one path for each of its items.
fn paths(code: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut paths = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with(is_path) {
                continue;
            }
            let rest = &code[at..];
            let end = rest.find(|c: char| !is_path(c)).unwrap_or(rest.len());
            let (path, after) = rest.split_at(end);
            paths.push(path.trim_end_matches(':').to_owned());
            if let Some(group) = after.strip_prefix('{') {
                let group = group.split('}').next().unwrap_or_default();
                paths.extend(group.split([',', '{']).map(|item| format!("{path}{}", item.trim())));
            }
        }
    }
    paths
}

/// The module that `path` leads to when the module `from` uses it; `None` for the crate's root.
fn target(path: &str, from: &str, modules: &BTreeSet<String>) -> Option<String> {
    let mut base: Vec<&str> = from.split("::").filter(|part| !part.is_empty()).collect();
    let mut parts = path.split("::").peekable();
    match parts.next() {
        Some("crate") => base.clear(),
        Some("super") => drop(base.pop()),
        _ => {}
    }
    while parts.next_if_eq(&"super").is_some() {
        base.pop();
    }
    base.extend(parts);
    (1..=base.len()).rev().map(|length| base[..length].join("::")).find(|module| modules.contains(module))
}

fn related(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}::"));
    within(one, other) || within(other, one)
}

/// The modules inside `module` from which its code passes names on.
fn passed_on(module: &str, code: &str) -> Vec<String> {
    let uses = code.lines().filter(|line| line.starts_with("pub")).filter_map(|line| line.split_once(" use "));
    uses.map(|(_, path)| format!("{module}::{}", path.split("::").next().unwrap_or_default())).collect()
}

fn imports(sources: &BTreeMap<String, String>) -> Imports {
    let modules: BTreeSet<String> = sources.keys().cloned().collect();
    let of = |(module, text): (&String, &String)| {
        let code = code(text);
        let targets = paths(&code).into_iter().filter_map(|path| target(&path, module, &modules));
        let mut targets: BTreeSet<String> = targets.filter(|target| !related(target, module)).collect();
        targets.extend(passed_on(module, &code).into_iter().filter(|inner| modules.contains(inner)));
        (module.clone(), targets)
    };
    sources.iter().filter(|(module, _)| !module.is_empty()).map(of).collect()
}

/// The modules that import themselves through others, each with its imports.
fn circles(imports: &Imports) -> Vec<String> {
    let reaches_itself = |start: &&String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
        while let Some(module) = next.pop() {
            for target in imports.get(module).into_iter().flatten() {
                if target == *start {
                    return true;
                }
                if seen.insert(target) {
                    next.push(target);
                }
            }
        }
        false
    };
    let circular = imports.keys().filter(reaches_itself);
    circular.map(|module| format!("{module} imports {:?}", imports[module])).collect()
}

#[test]
fn no_module_imports_what_imports_it() {
    let all = files();
    for crate_ in CRATES {
        let source = format!("{crate_}/src/");
        let mut sources = BTreeMap::new();
        let is_rust = |file: &&String| Path::new(file).extension().is_some_and(|ending| ending == "rs");
        for file in all.iter().filter(|file| file.starts_with(&source)).filter(is_rust) {
            if !file.ends_with("/tests.rs") {
                let text = std::fs::read_to_string(Path::new(&root()).join(file)).unwrap();
                sources.insert(module(&file[source.len()..]), text);
            }
        }
        assert!(!sources.is_empty(), "{crate_} has no modules");
        assert_eq!(circles(&imports(&sources)), [""; 0], "{crate_}");
    }
}

#[test]
fn a_circle_is_found() {
    let sources = |texts: &[(&str, &str)]| -> BTreeMap<String, String> {
        texts.iter().map(|(module, text)| ((*module).to_owned(), (*text).to_owned())).collect()
    };
    let circle = sources(&[
        ("", "mod a; mod b;"),
        ("a", "use crate::{b::{self, B}, C};"),
        ("b", "mod c;"),
        ("b::c", "fn x() { super::super::d::e() }"),
        ("d", "// use crate::nothing\nuse crate::a::A;"),
    ]);
    assert_eq!(circles(&imports(&circle)), [""; 0], "an import by b::c is not one by b");
    let mut passed_on = circle.clone();
    passed_on.insert("b".to_owned(), "mod c;\npub use c::C;".to_owned());
    assert_eq!(circles(&imports(&passed_on)).len(), 4, "unless b passes on what b::c has");
    let mut direct = circle.clone();
    direct.insert("b".to_owned(), "use super::d;".to_owned());
    assert_eq!(circles(&imports(&direct)).len(), 3);
    direct.insert("d".to_owned(), "#[cfg(test)]\nmod tests { use crate::a::A; }".to_owned());
    assert_eq!(circles(&imports(&direct)), [""; 0], "imports by tests must not count");
}
