//! The page of `verify --report` in a browser: it opens, says nothing on its console, and asks nobody for anything.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use libtest_mimic::Trial;
use serde_json::json;

use crate::support::{
    find::find,
    program::{TRUST, Test},
};

/// The trials.
pub(crate) fn trials() -> Vec<Trial> {
    let trials = [
        ("a page opens, with every image and nothing loaded", opens as fn(&Path)),
        ("a page with hostile names does nothing", hostile),
        ("a page is printed on A4", prints),
    ];
    let how = "apt-get install chromium";
    trials
        .into_iter()
        .map(|(name, trial)| match find("chromium") {
            Some(path) => Trial::test(format!("report::{name}"), move || {
                trial(&path);
                Ok(())
            }),
            None => Trial::test(format!("report::{name}: no chromium here ({how})"), || Ok(()))
                .with_ignored_flag(true),
        })
        .collect()
}

/// A proxy that answers nothing and keeps what it is asked for.
struct Proxy {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                thread::spawn(move || keep(stream, &kept));
            }
        });
        Self { port, asked }
    }

    /// What a page asked for. A browser looks for its own updates, too.
    fn of_page(&self) -> Vec<String> {
        let own = ["google.com", "googleapis.com", "gvt1.com", "gstatic.com"];
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|line| !own.iter().any(|host| line.contains(host))).cloned().collect()
    }
}

fn keep(mut stream: TcpStream, kept: &Mutex<Vec<String>>) {
    let mut request = [0; 2048];
    let read = stream.read(&mut request).unwrap_or_default();
    let request = String::from_utf8_lossy(&request[..read]);
    kept.lock().unwrap().push(request.lines().next().unwrap_or_default().to_owned());
    let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// Opens a page; returns its document, what the console says, and what was asked for.
fn open(chromium: &Path, test: &Test, page: &str, more: &str) -> (String, Vec<String>, Vec<String>) {
    let proxy = Proxy::new();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--enable-logging=stderr"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", test.path("profile").display()))
        .arg(format!("--proxy-server=http://127.0.0.1:{}", proxy.port))
        .args(["--proxy-bypass-list=<-loopback>", "--virtual-time-budget=5000", "--window-size=1280,1600"])
        .args(more.split(' ').filter(|word| !word.is_empty()))
        .arg(format!("file://{}", test.path(page).display()))
        .current_dir(test.path(""))
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{err}");
    let console = err.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), console, proxy.of_page())
}

/// A mirror's images, of which some are refused.
fn reported() -> Test {
    let test = Test::new();
    test.layout("key-tag-rekor1-cosignsave", "m");
    test.run(&format!("collect m {TRUST} -o made --state there")).exits(0);
    let digest = test.push("made", "oci:p:keys").pack_digest;
    test.run(&format!("pull oci:p:keys --digest {digest} -o keys")).exits(0);
    let line = "verify m lab/layouts/keyless-bundle-rekor2-oras lab/layouts/key-bundle-rekor1-oras";
    test.run(&format!("{line} --report a.html --require-signed")).exits(4);
    test.run(&format!("{line} --report a.json --require-signed")).exits(4);
    test
}

fn opens(chromium: &Path) {
    let test = reported();
    let (document, console, asked) = open(chromium, &test, "a.html", "--dump-dom");
    assert_eq!((console, asked), (Vec::new(), Vec::new()));
    assert!(document.contains("<title>Verification report</title>"), "{document}");
    // The browser reads as many cells as keypack wrote, and as many images.
    let written = String::from_utf8(test.read("a.html")).unwrap();
    for tag in ["<tr", "<td", "<th", "<p", "<h2", "<table"] {
        assert_eq!(document.matches(tag).count(), written.matches(tag).count(), "{tag}");
    }
    let (_, appendix) = document.split_once("APPENDIX").unwrap();
    let images = test.json("a.json")["images"].as_array().unwrap().len();
    assert_eq!(appendix.matches("<tr><td>").count(), images);
    // A page that does ask for something is noticed.
    let asks = "<script>console.log('heard')</script><img src=\"http://elsewhere.test/x\"></body>";
    let page = written.replace("default-src 'none'; ", "").replace("</body>", asks);
    test.write("asks.html", page);
    let (_, console, asked) = open(chromium, &test, "asks.html", "--dump-dom");
    assert!(console.iter().any(|line| line.contains("heard")), "{console:?}");
    assert!(asked.iter().any(|line| line.contains("elsewhere.test")), "{asked:?}");
    // And if a name did become markup, the page's own policy still stops it.
    test.write("stopped.html", written.replace("</body>", asks));
    let (_, _, asked) = open(chromium, &test, "stopped.html", "--dump-dom");
    assert_eq!(asked, Vec::<String>::new());
}

fn hostile(chromium: &Path) {
    let test = Test::new();
    let name =
        "--></td></table><script>console.log('ran')</script><img src=\"http://elsewhere.test/x\">\u{202e}";
    test.layout("key-tag-rekor1-cosignsave", "m");
    let mut index = test.json("m/index.json");
    for entry in index["manifests"].as_array_mut().unwrap() {
        entry["annotations"]["org.opencontainers.image.ref.name"] = json!(name);
    }
    test.write("m/index.json", index.to_string());
    let policy =
        json!({"default": [{"type": "reject"}], "transports": {"docker": {name: [{"type": "reject"}]}}});
    test.write("policy.json", policy.to_string());
    for line in [format!("verify m {TRUST}"), "verify m --policy policy.json".to_owned()] {
        let ran = test.run(&format!("{line} --report a.html"));
        assert!([0, 4].contains(&ran.code), "{}", ran.err);
        let (document, console, asked) = open(chromium, &test, "a.html", "--dump-dom");
        assert_eq!((console, asked), (Vec::new(), Vec::new()));
        assert!(document.contains("&lt;script&gt;") && !document.contains("<script"), "{document}");
    }
}

fn prints(chromium: &Path) {
    let test = reported();
    open(chromium, &test, "a.html", "--print-to-pdf=a.pdf --no-pdf-header-footer");
    let pdf = String::from_utf8_lossy(&test.read("a.pdf")).into_owned();
    // 210 × 297 mm in points.
    assert!(
        pdf.starts_with("%PDF-") && pdf.contains("/MediaBox [0 0 59") && pdf.contains(" 84"),
        "{}",
        &pdf[..200]
    );
    open(chromium, &test, "a.html", "--screenshot=a.png");
    assert!(test.read("a.png").starts_with(b"\x89PNG"));
}
