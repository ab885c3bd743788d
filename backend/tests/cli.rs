//! The program as an operator meets it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// In a folder of its own, with nothing of this machine's environment but what a test sets.
fn loyalnest(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loyalnest"));
    command
        .env_clear()
        .env("SHOPIFY_API_SECRET", "hush")
        .env("LOYALNEST_ENCRYPTION_KEY", "5a".repeat(32))
        .env("DATABASE_URL", format!("sqlite://{}/test.db", folder.display()))
        .current_dir(folder);
    command
}

fn run(command: &mut Command) -> (bool, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_default_settings_can_be_printed_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, printed, _) = run(loyalnest(folder.path()).arg("config"));
    assert!(fine && printed.contains("[inbox]") && printed.contains("# "));
    let file = folder.path().join("loyalnest.toml");
    std::fs::write(&file, printed).unwrap();
    let (fine, _, complaint) = run(loyalnest(folder.path()).arg("migrate").arg("--config").arg(file));
    assert!(fine, "{complaint}");
}

#[test]
fn nonsense_is_refused_at_start_with_a_sentence_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, says) in [
        ("LOYALNEST_INBOX__WORKRES", "2", "LOYALNEST_INBOX__WORKRES: there is no setting inbox.workres"),
        ("PORT", "http", "PORT (web.port) must be a whole number"),
        ("SHOPIFY_API_SECRET", "", "shopify.api_secret (SHOPIFY_API_SECRET) is not set"),
        ("LOYALNEST_ENCRYPTION_KEY", "", "security.encryption_key (LOYALNEST_ENCRYPTION_KEY) must be"),
        ("DATABASE_URL", "sqlite:///nowhere/at/all.db", "the database is not available"),
        ("RUST_LOG", "info,[", "log.filter (RUST_LOG)"),
    ] {
        let (fine, _, complaint) = run(loyalnest(folder.path()).arg("serve").env(name, value));
        assert!(!fine && complaint.contains(says), "{name}={value}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "one sentence: {complaint}");
    }
}

#[test]
fn a_shop_is_added_with_what_it_says_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let add = |domain: &str, token: &str| {
        let mut command = loyalnest(folder.path());
        let shopify = shopify("tea.myshopify.com");
        command
            .args(["shop", "add", domain])
            .env("LOYALNEST_SHOPIFY_URL", shopify)
            .env("LOYALNEST_SHOP_TOKEN", token);
        run(&mut command)
    };
    for _ in 0..2 {
        let (fine, printed, complaint) = add("tea.myshopify.com", "shpat_1");
        assert!(fine, "{complaint}");
        assert_eq!(printed, "tea.myshopify.com (Tea & Co, GBP, Europe/London)\n");
    }
    for (domain, token, says) in [
        ("coffee.myshopify.com", "shpat_1", "the token belongs to tea.myshopify.com"),
        ("tea.example", "shpat_1", "tea.example is not the domain of a shop"),
        ("tea.myshopify.com", "", "LOYALNEST_SHOP_TOKEN"),
    ] {
        let (fine, _, complaint) = add(domain, token);
        assert!(!fine && complaint.contains(says), "{complaint}");
        assert!(!complaint.contains("shpat"), "{complaint}");
    }
}

#[test]
fn a_server_becomes_ready_and_ends_well_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = loyalnest(folder.path())
        .arg("serve")
        .env("PORT", "0")
        .env("RUST_LOG", "loyalnest=info")
        .env("LOYALNEST_LOG__FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let address = address(&mut server);
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/readyz").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/nowhere").contains("\"code\":\"not_found\""));

    let asked = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert!(server.wait().unwrap().success());
}

/// What `shopify app dev` puts into the environment of the commands in `shopify.web.toml`, beside the caller's own.
fn shopify_app_dev(command: &mut Command, port: u16) {
    let (port, address) = (port.to_string(), "https://quick-brown-fox.trycloudflare.com");
    for (name, value) in [
        ("SHOPIFY_API_KEY", "0123456789abcdef0123456789abcdef"),
        ("SHOPIFY_API_SECRET", "shpss_0123456789abcdef"),
        ("SCOPES", "write_customers,write_orders"),
        ("HOST", address),
        ("APP_URL", address),
        ("REMIX_DEV_ORIGIN", address),
        ("NODE_ENV", "development"),
        ("APP_ENV", "development"),
        // One web is frontend and backend: all of these are the same.
        ("PORT", &port),
        ("SERVER_PORT", &port),
        ("FRONTEND_PORT", &port),
        ("BACKEND_PORT", &port),
    ] {
        command.env(name, value);
    }
}

/// The files that tell Shopify's command line of the app.
fn manifest(name: &str) -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

/// What a command of `shopify.web.toml` has the program do. The command line splits at spaces and knows no quotes.
fn arguments(command: &toml::Value) -> Vec<String> {
    let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
    let (cargo, arguments) = words.split_at(words.iter().position(|word| *word == "--").unwrap() + 1);
    assert_eq!(cargo, ["cargo", "run", "--package", "loyalnest", "--"]);
    arguments.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn shopify_app_dev_starts_the_server_that_its_tunnel_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    let (web, app) = (manifest("shopify.web.toml"), manifest("shopify.app.toml"));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let command = |name: &str| {
        let mut command = loyalnest(folder.path());
        shopify_app_dev(command.args(arguments(&web["commands"][name])), port);
        command
    };
    let (fine, _, complaint) = run(&mut command("predev"));
    assert!(fine, "{complaint}");
    let mut server =
        command("dev").env("LOYALNEST_LOG__FORMAT", "json").stderr(Stdio::piped()).spawn().unwrap();
    let address = address(&mut server);
    assert_eq!(address, format!("127.0.0.1:{port}"));
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));

    // Every path that Shopify is told of is there, and wants a signature.
    let callback = app["auth"]["redirect_urls"][0].as_str().unwrap();
    let callback = callback.strip_prefix(app["application_url"].as_str().unwrap()).unwrap();
    assert!(get(&address, callback).starts_with("HTTP/1.1 400"), "{}", get(&address, callback));
    let proxied = format!("{}/account", app["app_proxy"]["url"].as_str().unwrap());
    assert!(get(&address, &proxied).starts_with("HTTP/1.1 400"), "{}", get(&address, &proxied));
    let webhooks = web["webhooks_path"].as_str().unwrap();
    assert!(post(&address, webhooks).starts_with("HTTP/1.1 401"), "{}", post(&address, webhooks));
    for subscription in app["webhooks"]["subscriptions"].as_array().unwrap() {
        assert_eq!(subscription["uri"].as_str(), Some(webhooks));
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Where a server that logs JSON says it listens.
fn address(server: &mut Child) -> String {
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("listening") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the server ended");
    }
    // The rest must be read, or the server would block on a full pipe.
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    let logged: serde_json::Value = serde_json::from_str(&line).unwrap();
    logged["fields"]["address"].as_str().unwrap().to_owned()
}

fn get(address: &str, path: &str) -> String {
    ask(address, "GET", path)
}

/// With an empty JSON object and no signature.
fn post(address: &str, path: &str) -> String {
    ask(address, "POST", path)
}

fn ask(address: &str, method: &str, path: &str) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close");
    let body = if method == "POST" { "content-length: 2\r\n\r\n{}" } else { "\r\n" };
    write!(connection, "{head}\r\n{body}").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

/// An Admin API that knows one shop and writes metafields; gives its address.
fn shopify(domain: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let asked = request(&mut connection);
            let body = if asked.contains("ShopDetails") {
                format!(
                    r#"{{"data":{{"shop":{{"id":"gid://shopify/Shop/1","name":"Tea & Co","myshopifyDomain":"{domain}",
                        "currencyCode":"GBP","ianaTimezone":"Europe/London"}}}}}}"#
                )
            } else {
                r#"{"data":{"metafieldsSet":{"metafields":[],"userErrors":[]}}}"#.to_owned()
            };
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            connection.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    format!("http://{address}")
}

/// The body of one request.
fn request(connection: &mut TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

#[test]
fn keys_are_rotated_by_a_command_that_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let mut rotate = loyalnest(folder.path());
    rotate.args(["keys", "rotate"]).env("LOYALNEST_ENCRYPTION_KEYS_OLD", "5b".repeat(32));
    let (fine, said, complaint) = run(&mut rotate);
    assert!(fine, "{complaint}");
    assert_eq!(
        said,
        "the tokens of 0 shops and 0 members of staff were sealed anew\n\
         0 e-mail addresses were sealed anew; 0 open with no key that is known\n\
         0 exports were sealed anew; 0 open with no key that is known\n"
    );
    rotate.env("LOYALNEST_ENCRYPTION_KEYS_OLD", "5b");
    let (fine, _, complaint) = run(&mut rotate);
    assert!(!fine && complaint.contains("security.encryption_keys_old"), "{complaint}");
}

#[test]
fn support_is_let_in_by_a_command_that_shows_the_token_once() {
    let folder = tempfile::tempdir().unwrap();
    let support = |arguments: &[&str]| {
        let mut command = loyalnest(folder.path());
        command.arg("support").args(arguments);
        run(&mut command)
    };
    let url = shopify("tea.myshopify.com");
    let mut add = loyalnest(folder.path());
    add.args(["shop", "add", "tea.myshopify.com"])
        .env("LOYALNEST_SHOPIFY_URL", url)
        .env("LOYALNEST_SHOP_TOKEN", "shpat_1");
    assert!(run(&mut add).0);
    let open = ["open", "tea.myshopify.com", "--operator", "Ada", "--reason", "ticket 7", "--minutes", "30"];
    let (fine, token, complaint) = support(&open);
    assert!(fine, "{complaint}");
    assert!(token.starts_with("lns_") && token.trim_end().len() == 90, "{token}");
    let (_, list, _) = support(&["list"]);
    assert!(list.contains("\ttea.myshopify.com\tAda\t") && list.ends_with("\tlooks\tticket 7\n"), "{list}");
    assert!(!list.contains(token.trim_end()));
    let id = list.split('\t').next().unwrap();
    assert_eq!(support(&["close", id]).1, "1 ended\n");
    let (fine, _, complaint) = support(&["close", id]);
    assert!(!fine && complaint.contains("is no support session that is open"), "{complaint}");
    assert_eq!(support(&["close", "--all"]).1, "0 ended\n");
    for (place, nonsense, said) in [
        (1, "coffee.myshopify.com", "has not installed the app"),
        (1, "tea.example", "not the domain of a shop"),
        (3, "", "the operator's name has 1 to 64 characters"),
        (5, " ", "the reason has 1 to 200 characters"),
        (7, "121", "1 to 120 minutes"),
        (7, "0", "1 to 120 minutes"),
        (7, "-1", "--minutes"),
    ] {
        let mut arguments = open;
        arguments[place] = nonsense;
        let (fine, _, complaint) = support(&arguments);
        assert!(!fine && complaint.contains(said), "{nonsense:?}: {complaint}");
    }
    assert_eq!(support(&["list"]).1, "");
}

/// Orders of three customers: one sends all of it back, one some of it.
const HISTORY: &str = "invoice,time,customer,stock_code,quantity,price_pence
1,2010-01-05T10:00:00,7,A,2,150
2,2010-01-06T10:00:00,8,A,1,500
3,2010-01-20T10:00:00,7,B,1,99
C4,2010-01-21T10:00:00,8,A,-1,500
5,2010-01-22T10:00:00,9,A,3,100
C6,2010-01-25T10:00:00,9,A,-1,100
";

#[test]
fn the_scores_of_a_replayed_history_are_printed_as_of_any_day() {
    let folder = tempfile::tempdir().unwrap();
    let (fine, _, complaint) = run(loyalnest(folder.path()).args(["rfm", "export"]));
    assert!(!fine && complaint.contains("no shop has installed the app"), "{complaint}");
    std::fs::write(folder.path().join("history.csv"), HISTORY).unwrap();
    let (fine, _, complaint) = run(loyalnest(folder.path()).args(["replay", "history.csv"]));
    assert!(fine, "{complaint}");
    let scores = |arguments: &[&str]| {
        let (fine, printed, complaint) =
            run(loyalnest(folder.path()).args(["rfm", "export"]).args(arguments));
        assert!(fine, "{complaint}");
        let (header, lines) = printed.split_once('\n').unwrap();
        assert_eq!(header, "customer,recency_days,frequency,monetary,r,f,m,score,segment,group");
        let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let prospect = |customer: i64| format!("{customer},,0,0,1,1,1,1.0,seg_111,prospects");
    assert_eq!(
        scores(&["--as-of", "2010-01-31"]),
        [
            "7,11,2,399,1,3,3,2.2,seg_133,at_risk".to_owned(),
            prospect(8),
            "9,9,1,200,3,1,1,1.8,seg_311,almost_lost".to_owned(),
        ]
    );
    assert_eq!(
        scores(&["--as-of", "2010-01-06", "--shop", "replay.myshopify.com"]),
        ["7,1,1,300,1,1,1,1.0,seg_111,dormant".to_owned(), prospect(8), prospect(9)]
    );
    let ever = scores(&[]);
    assert!(ever[0].starts_with("7,") && ever[0].ends_with(",2,399,1,3,3,2.2,seg_133,at_risk"), "{ever:?}");
    for (arguments, says) in [
        (["--shop", "tea.myshopify.com"], "tea.myshopify.com has not installed the app"),
        (["--as-of", "yesterday"], "--as-of"),
    ] {
        let (fine, _, complaint) = run(loyalnest(folder.path()).args(["rfm", "export"]).args(arguments));
        assert!(!fine && complaint.contains(says), "{complaint}");
    }
}
