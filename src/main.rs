//! The command line.

#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use hotline::app::{self, Configured};
use hotline::config::layers::{ConfigError, Layers};

/// The hotline 12345 of a city: answers calls in Tibetan and Mandarin, records requests, makes tickets of them.
#[derive(Debug, Parser)]
#[command(name = "hotline", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer calls. Everything in one process; prints one line when ready, drains on SIGTERM.
    Serve(Serve),
    /// Check the configuration, the flow and the prompts without starting anything.
    #[command(after_help = "Exit code: 0 when all is well; 2 otherwise, each problem with its file and line.")]
    Check(Configured),
    /// Call a line as a citizen would, without a phone: shows the SIP ladder, the answer time and the sound's quality.
    Call(app::call::Arguments),
    /// The prompts: list, check, hear them, and make them of a studio's recordings.
    Prompts(app::prompts::Arguments),
    /// Working days: when something is due, and why then.
    Calendar(app::calendar::Arguments),
    /// Figures and rates of a period, by unit, class, city and more: as a table, JSON, CSV or XLSX.
    Report(app::report::Arguments),
    /// Who did what, and whether the record of it is what it was.
    Audit(app::audit::Arguments),
    /// Copy database, recordings and attachments to a folder while the service goes on.
    Backup(app::backup::BackupArguments),
    /// Fill a new data folder from a backup, or check one.
    Restore(app::backup::RestoreArguments),
    /// Tickets: list them, show one, give one a command.
    Ticket(app::ticket::Arguments),
    /// Return visits: how they stand, what is next, and stopping the calls of a city.
    Visits(app::visits::Arguments),
    /// People: accounts, passwords, sessions.
    User(app::user::Arguments),
    /// Other systems that use the API, and their tokens.
    Client(app::client::Arguments),
    /// A seeded year of tickets in a fresh database.
    Simulate(app::simulate::Arguments),
    /// A short tour on a temporary folder: two citizens call, two tickets exist.
    Demo(app::demo::Arguments),
}

const SERVE_EXAMPLES: &str = "\
Examples:
  hotline serve
      answers sip:12345@127.0.0.1, keeps everything in ./data
  hotline serve --config /etc/hotline.toml
  hotline serve --sip 0.0.0.0:5060 --http 127.0.0.1:0 --data /var/lib/hotline
  hotline serve --http 0.0.0.0:8443 --http-tls /etc/hotline/cert.pem,/etc/hotline/key.pem

The first SIGTERM or Ctrl-C drains: new calls are refused, running ones go on. A second one ends at once.
Exit code: 0 after an end that was asked for, 2 when a setting can't be used.";

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
struct Serve {
    #[command(flatten)]
    configured: Configured,
    /// Folder of the database, the recordings and the API token [default: ./data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address of SIP, UDP and TCP; port 0 takes a free one [default: 127.0.0.1:5060]
    #[arg(long, value_name = "ADDR")]
    sip: Option<SocketAddr>,
    /// Address of the pages and the API; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// PEM files of the certificate and the key that the pages and the API are served with [default: no TLS]
    #[arg(long, value_name = "CERT,KEY", value_delimiter = ',')]
    http_tls: Vec<PathBuf>,
    /// Ports of the calls' sound, two a call [default: 20000-29999]
    #[arg(long, value_name = "LOW-HIGH")]
    rtp_ports: Option<String>,
}

impl Serve {
    fn layers(&self) -> Result<Layers, ConfigError> {
        let mut layers = self.configured.layers()?;
        let flags = [
            ("--data", "data", self.data.as_ref().map(|path| path.display().to_string())),
            ("--sip", "sip.listen", self.sip.map(|address| address.to_string())),
            ("--http", "http.listen", self.http.map(|address| address.to_string())),
            ("--http-tls", "http.tls_certificate", self.http_tls.first().map(|path| path.display().to_string())),
            ("--http-tls", "http.tls_key", self.http_tls.get(1).map(|path| path.display().to_string())),
            ("--rtp-ports", "media.ports", self.rtp_ports.clone()),
        ];
        for (flag, key, value) in flags {
            if let Some(value) = value {
                layers.flag(flag, key, &value)?;
            }
        }
        Ok(layers)
    }
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Serve(serve) => serve.layers().map_err(app::Failure::from).and_then(app::serve),
        Command::Check(check) => check.layers().map_err(app::Failure::from).and_then(app::check::check),
        Command::Call(arguments) => app::call::call(&arguments),
        Command::Prompts(arguments) => app::prompts::prompts(&arguments),
        Command::Calendar(arguments) => app::calendar::calendar(&arguments),
        Command::Report(arguments) => app::report::report(&arguments),
        Command::Audit(arguments) => app::audit::audit(&arguments),
        Command::Backup(arguments) => app::backup::backup(&arguments),
        Command::Restore(arguments) => app::backup::restore(&arguments),
        Command::Ticket(arguments) => app::ticket::ticket(&arguments),
        Command::Visits(arguments) => app::visits::visits(&arguments),
        Command::User(arguments) => app::user::user(&arguments),
        Command::Client(arguments) => app::client::client(&arguments),
        Command::Simulate(arguments) => app::simulate::simulate(&arguments),
        Command::Demo(arguments) => app::demo::demo(&arguments),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("hotline: {failure}");
            failure.exit_code()
        }
    }
}
