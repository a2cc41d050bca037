//! Who may ask.

use crate::Server;
use serde_json::json;
use std::fs;
use wavemill_tests::lab::{Lab, put};

#[test]
fn token_or_link_lets_in_and_nothing_else() {
    let server = Server::of(Lab::new(), &[]);
    assert_eq!(server.ask("/health", "").0, 200);
    let (status, head, _) = server.ask("/v1/status", "");
    assert_eq!(status, 401);
    assert!(head.contains("application/problem+json"), "{head}");
    let token = fs::read_to_string(server.lab.state().join("control.token")).unwrap();
    let with = format!("Authorization: Bearer {}\r\n", token.trim());
    assert_eq!(server.ask("/v1/status", &with).0, 200);
    let foreign = format!("{with}Origin: https://evil.example\r\n");
    assert_eq!(server.ask("/v1/status", &foreign).0, 403);
    let rebound =
        format!("GET /v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{with}\r\n");
    assert_eq!(server.send(&rebound).0, 403);

    let login = server.link[7..].strip_prefix(&server.address).unwrap().to_owned();
    let (status, head, _) = server.ask(&login, "");
    assert_eq!(status, 303);
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert_eq!(server.ask("/v1/status", &cookie).0, 200);
    assert_eq!(server.ask(&login, "").0, 401, "a link is good once");
    let (status, head, _) = server.post("/login", "", &json!({ "token": token.trim() }));
    assert_eq!(status, 204, "{head}");
    assert_eq!(server.post("/login", "", &json!({ "token": "guess" })).0, 401);
}

#[test]
fn without_a_token_no_path_of_this_machine_can_be_named() {
    let lab = Lab::new();
    let secret = lab.aside("secret.wav");
    put(&secret, b"RIFF");
    let server = Server::of(lab, &["--no-token"]);
    assert_eq!(server.ask("/v1/status", "").0, 200);
    let paths = [secret.display().to_string()];
    let toml = "version = 1\n[pipeline]\nname = \"x\"\n[report]\njson = \"/tmp/x.json\"\n";
    for (path, body) in [
        ("/v1/batches", json!({ "paths": paths, "toml": toml })),
        ("/v1/files/delete", json!({ "paths": paths })),
        ("/v1/files/adopt", json!({ "paths": paths })),
        ("/v1/regions", json!({ "track_id": "t", "file_id": paths[0], "start_time": 0.0 })),
        ("/v1/stop", json!({ "now": true })),
    ] {
        assert_eq!(server.post(path, "", &body).0, 403, "{path}");
    }
    let named = format!("/v1/files/content?file={}", paths[0]);
    assert_eq!(server.ask(&named, "").0, 404);
    let check = json!({ "toml": "version = 1\n" });
    assert_eq!(server.post("/v1/pipelines/check", "", &check).0, 200);
}

#[test]
fn pages_of_named_origins_may_ask_and_others_may_not() {
    let lab = Lab::new();
    lab.configure("[http]\norigins = [\"https://studio.example\"]\n");
    let server = Server::of(lab, &["--no-token"]);
    let ask = |origin: &str| server.ask("/v1/status", &format!("Origin: {origin}\r\n"));
    let (status, head, _) = ask("https://studio.example");
    assert_eq!(status, 200);
    assert!(head.contains("access-control-allow-origin: https://studio.example"), "{head}");
    assert_eq!(ask("https://evil.example").0, 403);
    let host = &server.address;
    let preflight = |origin: &str| {
        server.send(&format!(
            "OPTIONS /v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nOrigin: {origin}\r\n\r\n"
        ))
    };
    assert_eq!(preflight("https://studio.example").0, 204);
    assert_eq!(preflight("https://evil.example").0, 403);
}

#[test]
fn address_that_others_reach_asks_for_a_token() {
    let lab = Lab::new();
    let ended = lab.run(["watch", "--http", "0.0.0.0:0", "--no-token"]);
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("only a loopback address"), "{ended:?}");
}
