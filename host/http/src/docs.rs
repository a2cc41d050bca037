//! `/docs` and `/redoc`: the API's description as a page, without scripts and without requests to other hosts.

use axum::http::header;
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::Arc;

/// What the page looks like; light and dark as the viewer's system.
const STYLE: &str = "\
:root{color-scheme:light dark;--line:light-dark(#d5d8dc,#33383f);--faint:light-dark(#555b63,#a3abb5);\
--back:light-dark(#fff,#14171b);--text:light-dark(#14171b,#e9ecf0);--code:light-dark(#f2f4f6,#1e2329)}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;background:var(--back);\
color:var(--text)}h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}\
details{border-top:1px solid var(--line);padding:.5rem 0}summary{cursor:pointer}\
summary b{display:inline-block;min-width:4.5rem}code{background:var(--code);padding:.1em .3em;border-radius:3px}\
table{border-collapse:collapse;width:100%;margin:.5rem 0}\
td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}\
p,td{overflow-wrap:anywhere}.faint{color:var(--faint)}";

/// Headings, and the beginnings of the paths below them.
const GROUPS: [(&str, &str); 3] = [("Services", "/api/"), ("Version 1", "/v1/"), ("Server", "/")];

/// The page of a description.
pub(crate) fn page(document: &Value) -> Arc<str> {
    let title = text(&document["info"]["title"]);
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
        <style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{}</p>\
        <p><a href=\"/openapi.json\">openapi.json</a> is the same for programs.</p>",
        text(&document["info"]["description"])
    );
    let mut paths: Vec<(&String, &Value)> =
        document["paths"].as_object().into_iter().flatten().collect();
    for (heading, start) in GROUPS {
        let (these, others): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|(path, _)| path.starts_with(start));
        paths = others;
        if these.is_empty() {
            continue;
        }
        let _ = write!(html, "<h2>{heading}</h2>");
        for (path, operations) in these {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                write_operation(&mut html, document, (method, path), operation);
            }
        }
    }
    html.push_str("</main></body></html>");
    html.into()
}

/// Sends the page.
pub(crate) fn response(page: &str) -> Response {
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page.to_owned())).into_response()
}

fn write_operation(
    html: &mut String,
    document: &Value,
    (method, path): (&str, &str),
    operation: &Value,
) {
    let _ = write!(
        html,
        "<details><summary><b>{}</b><code>{}</code> <span class=\"faint\">{}</span></summary>",
        method.to_uppercase(),
        escaped(path),
        text(&operation["summary"])
    );
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: Vec<_> = parameters
        .map(|one| {
            let place = text(&one["in"]);
            (
                text(&one["name"]),
                format!("{} ({place})", kind(&one["schema"])),
                text(&one["description"]),
            )
        })
        .collect();
    write_table(html, "Parameters", &rows);
    for (content, body) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        write_table(
            html,
            &format!("Request, {}", escaped(content)),
            &fields(document, &body["schema"]),
        );
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        if status == "default" {
            continue;
        }
        let contents = response["content"].as_object().into_iter().flatten();
        let rows: Vec<_> =
            contents.flat_map(|(_, body)| fields(document, &body["schema"])).collect();
        let about = text(&response["description"]);
        let heading = format!("{} {about}", escaped(status));
        if status.starts_with('2') {
            write_table(html, &heading, &rows);
            if rows.is_empty() {
                let _ = write!(html, "<p>{heading}</p>");
            }
        }
    }
    html.push_str("</details>");
}

/// Name, kind and meaning of a field.
type Row = (String, String, String);

fn write_table(html: &mut String, heading: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(html, "<table><caption class=\"faint\">{heading}</caption>");
    for (name, kind, about) in rows {
        let _ = write!(
            html,
            "<tr><td><code>{name}</code></td><td class=\"faint\">{kind}</td><td>{about}</td></tr>"
        );
    }
    html.push_str("</table>");
}

/// The fields of a schema, or of the things in a list.
fn fields(document: &Value, schema: &Value) -> Vec<Row> {
    let schema = if schema["items"].is_null() { schema } else { &schema["items"] };
    let named =
        schema["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    let properties = named.unwrap_or(schema)["properties"].as_object();
    let row = |(name, property): (&String, &Value)| {
        (escaped(name), kind(property), text(&property["description"]))
    };
    properties.into_iter().flatten().map(row).collect()
}

/// What kind of value a schema has.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return escaped(name.rsplit('/').next().unwrap_or_default());
    }
    if let Some(one) =
        schema["oneOf"].as_array().and_then(|all| all.iter().find(|it| it["type"] != "null"))
    {
        return kind(one);
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => escaped(name),
        Value::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).map(escaped).collect();
            names.join(" or ")
        }
        _ => String::new(),
    }
}

/// A text for a page; what stands between backticks is code.
fn text(value: &Value) -> String {
    let text = escaped(value.as_str().unwrap_or_default());
    let parts = text.split('`').enumerate();
    parts
        .map(
            |(index, part)| {
                if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }
            },
        )
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_on_the_page_and_nothing_is_asked_of_another_host() {
        let document = crate::openapi();
        let page = page(&document);
        for (path, _) in document["paths"].as_object().unwrap() {
            assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
        }
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("<link"));
        assert!(!page.contains("http://") && !page.contains("https://"));
    }
}
