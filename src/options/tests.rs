//! That the files of the deployment and the README speak of settings, commands, addresses and ports that there are: nobody
//! else notices at once when one of them is renamed.

use super::Cli;
use clap::{Arg, Command, CommandFactory, Parser};
use std::collections::{BTreeMap, BTreeSet};
use xiadan::server::http::{ALIVE, METRICS, READY};

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const COMPOSE: &str = include_str!("../../deploy/compose.yml");
const KUBERNETES: &str = include_str!("../../deploy/kubernetes.yaml");
const CADDY: &str = include_str!("../../deploy/Caddyfile");
const PROMETHEUS: &str = include_str!("../../deploy/prometheus.yml");
const README: &str = include_str!("../../README.md");

/// What is read from the environment alone, with the code that does so: a command line can be read by others.
const APART: [(&str, &str); 8] = [
    ("XIADAN_MASTER_KEY", include_str!("../server/start.rs")),
    ("XIADAN_BACKUP_KEY", include_str!("../options.rs")),
    ("XIADAN_SMS_KEY_ID", include_str!("../options.rs")),
    ("XIADAN_SMS_KEY_SECRET", include_str!("../options.rs")),
    ("XIADAN_S3_URL", include_str!("../server/media/bucket.rs")),
    ("XIADAN_S3_REGION", include_str!("../server/media/bucket.rs")),
    ("XIADAN_S3_KEY_ID", include_str!("../server/media/bucket.rs")),
    ("XIADAN_S3_KEY_SECRET", include_str!("../server/media/bucket.rs")),
];
/// What is no setting of the program: a variable of the compose file, and one of the benches.
const OTHERS: [&str; 2] = ["XIADAN_DOMAIN", "XIADAN_NGINX"];

/// The options of a command and of those below it, by their variables.
fn options(command: &Command, into: &mut BTreeMap<String, Arg>) {
    for option in command.get_arguments() {
        if let Some(name) = option.get_env() {
            into.insert(name.to_string_lossy().into_owned(), option.clone());
        }
    }
    command.get_subcommands().for_each(|below| options(below, into));
}

fn all_options() -> BTreeMap<String, Arg> {
    let mut all = BTreeMap::new();
    options(&Cli::command(), &mut all);
    all
}

/// The variables that a text speaks of.
fn names(text: &str) -> BTreeSet<&str> {
    let name = move |(at, _): (usize, &str)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    };
    text.match_indices("XIADAN_").map(name).collect()
}

/// What a file sets variables to, but for what comes from whoever starts it.
fn values(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("ENV ").trim_end_matches('\\').trim_end());
    lines
        .filter(|line| line.starts_with("XIADAN_"))
        .filter_map(|line| line.split_once(": ").or_else(|| line.split_once('=')))
        .map(|(name, value)| (name, value.trim_matches('"')))
        .filter(|(_, value)| !value.contains("${"))
        .collect()
}

fn value<'t>(text: &'t str, name: &str) -> &'t str {
    values(text)
        .into_iter()
        .find(|(set, _)| *set == name)
        .map_or_else(|| panic!("{name} is not set"), |(_, value)| value)
}

fn port(address: &str) -> &str {
    address.rsplit(':').next().unwrap_or_default()
}

/// What stands after each place of a word, up to the next space, quotation mark, comma or bracket.
fn after<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = &'t str> {
    let rest = text.match_indices(word).map(move |(at, _)| &text[at + word.len()..]);
    rest.map(|rest| rest.split([' ', '\n', '"', ',', ']', '}']).next().unwrap_or_default())
}

#[test]
fn settings_that_are_spoken_of_are_there_and_the_readme_speaks_of_all() {
    let options = all_options();
    for (name, code) in APART {
        assert!(code.contains(&format!("\"{name}\"")) && !options.contains_key(name), "{name}");
    }
    let is_known = |name: &str| {
        options.contains_key(name) || APART.iter().any(|(apart, _)| *apart == name) || OTHERS.contains(&name)
    };
    let files = [DOCKERFILE, COMPOSE, KUBERNETES, CADDY, PROMETHEUS, README];
    for name in files.into_iter().flat_map(names) {
        assert!(is_known(name), "{name}");
    }
    let told = names(README);
    let untold: Vec<_> = options.keys().filter(|name| !told.contains(name.as_str())).collect();
    assert!(untold.is_empty(), "{untold:?}");
    assert!(APART.iter().all(|(name, _)| told.contains(name)));
}

#[test]
fn values_and_commands_of_the_deployment_are_taken() {
    let options = all_options();
    for (file, text) in [("Dockerfile", DOCKERFILE), ("compose", COMPOSE), ("Kubernetes", KUBERNETES)] {
        let mut line = vec!["xiadan".to_owned(), "serve".to_owned()];
        for (name, value) in values(text) {
            let Some(option) = options.get(name).filter(|option| option.get_action().takes_values()) else { continue };
            line.push(format!("--{}", option.get_long().unwrap_or_default()));
            line.push(value.to_owned());
        }
        assert!(line.len() > 6, "{file}: {line:?}");
        if let Err(error) = Cli::try_parse_from(line) {
            panic!("{file}: {error}");
        }
        let commands = ["command: [", "args: [", "CMD [\""].into_iter().flat_map(|word| after(text, word));
        let commands: Vec<_> = commands.collect();
        assert!(!commands.is_empty(), "{file}");
        for command in commands {
            assert!(Cli::command().find_subcommand(command).is_some(), "{file}: {command}");
        }
    }
}

#[test]
fn ports_and_probes_of_the_deployment_lead_where_something_listens() {
    let shop = port(value(DOCKERFILE, "XIADAN_LISTEN"));
    assert_eq!(after(DOCKERFILE, "EXPOSE ").collect::<Vec<_>>(), [shop]);
    let probes: Vec<_> = after(DOCKERFILE, "//127.0.0.1:").collect();
    assert_eq!(probes, [format!("{shop}{READY}"), format!("{shop}{READY}")]);
    assert_eq!(after(CADDY, "health_uri ").collect::<Vec<_>>(), [READY]);
    for node in ["node1", "node2"] {
        assert!(COMPOSE.contains(&format!("\n  {node}:\n")), "{node}");
        assert_eq!(after(CADDY, &format!("{node}:")).collect::<Vec<_>>(), [shop]);
        let figures = port(value(COMPOSE, "XIADAN_METRICS_LISTEN"));
        assert_eq!(after(PROMETHEUS, &format!("{node}:")).collect::<Vec<_>>(), [figures]);
    }
    // Prometheus asks there where it is told no other path.
    assert_eq!((METRICS, PROMETHEUS.contains("metrics_path")), ("/metrics", false));

    let figures = port(value(KUBERNETES, "XIADAN_METRICS_LISTEN"));
    assert_eq!(after(KUBERNETES, "containerPort: ").collect::<Vec<_>>(), [shop, figures]);
    assert_eq!(after(KUBERNETES, "prometheus.io/port: \"").collect::<Vec<_>>(), [figures]);
    for (probe, path) in [("startup", READY), ("readiness", READY), ("liveness", ALIVE)] {
        let rest = after_line(KUBERNETES, &format!("{probe}Probe:"));
        assert_eq!(rest, format!("httpGet: {{ path: {path}, port: http }}"), "{probe}");
    }
}

/// The line after the one that is this.
fn after_line<'t>(text: &'t str, wanted: &str) -> &'t str {
    text.lines().map(str::trim).skip_while(|line| *line != wanted).nth(1).unwrap_or_default()
}

#[test]
fn backups_go_where_a_volume_is_and_an_end_has_its_time() {
    // With this the program is done after its drain, see the README.
    const END_MS: u64 = 25_000;
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let folder = value(COMPOSE, "XIADAN_BACKUP_TO");
    assert_eq!(folder, value(KUBERNETES, "XIADAN_BACKUP_TO"));
    assert!(COMPOSE.contains(&format!("\"backups:{folder}\"")) && COMPOSE.contains("\n  backups:\n"));
    assert_eq!(after_line(KUBERNETES, "- name: backups"), format!("mountPath: {folder}"));
    assert!(DOCKERFILE.contains(&format!(" {folder}\n")), "it is made for the user who runs the program");
    for (text, grace) in [(COMPOSE, "stop_grace_period: "), (KUBERNETES, "terminationGracePeriodSeconds: ")] {
        let given = after(text, grace).next().unwrap_or_default().trim_end_matches('s');
        assert!(number(value(text, "XIADAN_DRAIN_MS")) + END_MS < 1_000 * number(given), "{grace}");
    }
}
