//! Every answer is one that the API's description has, and none is an error of the server.

use crate::Server;
use std::ffi::OsString;
use std::fs;
use wavemill_tests::external::Tool;
use wavemill_tests::lab::Lab;

/// Names a Python.
const PYTHON: &str = "WAVEMILL_PYTHON";

/// Runs the command line of schemathesis.
const SCRIPT: &str = "from schemathesis.cli import schemathesis; schemathesis()";

/// What is asked of every answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Paths that end the server or never end.
const LEFT_OUT: &str = "/v1/(events|stop)";

#[test]
fn answers_are_as_described() {
    let Some(python) = Tool::named(PYTHON).filter(|python| python.imports("schemathesis")) else {
        return;
    };
    for flags in [&[][..], &["--no-token"]] {
        let server = Server::of(Lab::new(), flags);
        let lab = &server.lab;
        let mut words: Vec<OsString> = ["-c", SCRIPT, "run"].map(OsString::from).into();
        words.push(format!("http://{}/openapi.json", server.address).into());
        for (flag, value) in [
            ("--checks", CHECKS),
            ("--exclude-path-regex", LEFT_OUT),
            ("--max-examples", "10"),
            ("--request-timeout", "60"),
            ("--seed", "1"),
        ] {
            words.extend([flag, value].map(OsString::from));
        }
        if let Ok(token) = fs::read_to_string(lab.state().join("control.token")) {
            words.push("--header".into());
            words.push(format!("Authorization: Bearer {}", token.trim()).into());
        }
        let output = python.command().args(&words).current_dir(lab.root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
