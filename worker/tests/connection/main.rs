//! A worker process and a head that loses it, refuses it, restarts, or tells it to leave.

mod head;
mod moves;
mod sources;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::worker::{FromWorker, Heat, Lease, ToWorker};
use head::{TestHead, Worker};

#[tokio::test]
async fn work_outlives_a_connection() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:300ms");
    let mut link = head.welcome().await;
    assert!(link.hello.holding.is_empty());
    let lease = link.assign(1, "starter").await;
    link.progress().await;
    drop(link);

    let mut link = head.join().await;
    assert_eq!(link.hello.holding, [lease]);
    link.welcome(&[lease]).await;
    link.done(lease).await;
    assert_eq!(head.pictures.recv().await, Some(lease));
    assert!(head.pictures.is_empty(), "it was made and sent once");
}

#[tokio::test]
async fn the_last_word_waits_for_a_head() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:300ms");
    let mut link = head.welcome().await;
    let lease = link.assign(1, "starter").await;
    link.progress().await;
    drop(link);

    // The head is there again and takes the picture, but has not taken the worker in yet.
    let mut link = head.join().await;
    assert_eq!(head.pictures.recv().await, Some(lease));
    assert_eq!(link.hello.holding, [lease]);
    link.welcome(&[lease]).await;
    link.done(lease).await;
}

#[tokio::test]
async fn a_lease_that_did_not_stand_is_dropped() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:1500ms");
    let mut link = head.welcome().await;
    let old = link.assign(1, "starter").await;
    link.progress().await;
    drop(link);

    let mut link = head.welcome().await;
    assert_eq!(link.hello.holding, [old]);
    let new = link.assign(2, "starter").await;
    // Had the old work gone on, it would have been through first.
    link.done(new).await;
    assert_eq!(head.pictures.recv().await, Some(new));
    assert!(head.pictures.is_empty());
}

#[tokio::test]
async fn a_picture_that_cannot_be_taken_now_is_not_lost() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:10ms");
    let mut link = head.welcome().await;
    head.state.answer.store(503, Ordering::SeqCst);
    let lease = link.assign(1, "starter").await;
    for _ in 0..2 {
        assert_eq!(head.pictures.recv().await, Some(lease));
    }
    drop(link);
    head.state.answer.store(204, Ordering::SeqCst);
    let mut link = head.join().await;
    assert_eq!(link.hello.holding, [lease]);
    link.welcome(&[lease]).await;
    link.done(lease).await;
}

#[tokio::test]
async fn a_stale_picture_ends_the_work_without_a_word() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:10ms");
    let mut link = head.welcome().await;
    head.state.answer.store(409, Ordering::SeqCst);
    let stale = link.assign(1, "starter").await;
    assert_eq!(head.pictures.recv().await, Some(stale));
    head.state.answer.store(204, Ordering::SeqCst);
    let good = link.assign(2, "starter").await;
    link.done(good).await;
    drop(link);
    assert!(head.join().await.hello.holding.is_empty());
}

#[tokio::test]
async fn heartbeats_go_on_while_a_picture_is_on_its_way() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:10ms");
    let mut link = head.welcome().await;
    let shut = head.state.gate.clone().acquire_owned().await.expect("the gate");
    let lease = link.assign(1, "starter").await;
    assert_eq!(head.pictures.recv().await, Some(lease));
    for _ in 0..5 {
        link.until(|message| matches!(message, FromWorker::Heartbeat { .. }).then_some(())).await;
    }
    drop(shut);
    link.done(lease).await;
}

#[tokio::test]
async fn a_cancelled_job_is_forgotten() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:1000ms");
    let mut link = head.welcome().await;
    let Lease { job, epoch } = link.assign(1, "starter").await;
    link.progress().await;
    link.tell(&ToWorker::Cancel { job, epoch }).await;
    let next = link.assign(2, "starter").await;
    link.done(next).await;
    assert_eq!(head.pictures.recv().await, Some(next));
}

#[tokio::test]
async fn a_wrong_key_ends_the_worker_with_a_sentence() {
    for status in [401, 403, 404] {
        let head = TestHead::start().await;
        head.state.door.store(status, Ordering::SeqCst);
        let (good, said) = head.worker("fake:1ms").ended().await;
        assert!(!good && said.contains("is the key right?"), "{said}");
    }
}

#[tokio::test]
async fn a_worker_that_was_served_waits_for_its_head() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:1ms");
    let link = head.welcome().await;
    head.state.door.store(404, Ordering::SeqCst);
    drop(link);
    for _ in 0..3 {
        head.turned_away.recv().await.expect("another try");
    }
    head.state.door.store(0, Ordering::SeqCst);
    head.welcome().await;
}

#[tokio::test]
async fn a_worker_that_is_not_wanted_any_more_leaves() {
    let mut head = TestHead::start().await;
    let mut worker = head.worker("fake:1ms");
    let mut link = head.welcome().await;
    let lease = link.assign(1, "starter").await;
    link.done(lease).await;
    link.close(1008, "this key was revoked").await;
    let (good, said) = worker.ended().await;
    assert!(!good && said.contains("this key was revoked"), "{said}");
}

#[tokio::test]
async fn a_head_that_goes_away_politely_is_dialled_again() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:1ms");
    head.welcome().await.close(1001, "restarting").await;
    head.welcome().await;
}

#[tokio::test]
async fn a_head_that_leaves_is_served_to_the_end_and_dialled_again() {
    let mut head = TestHead::start().await;
    let _worker = head.worker("fake:300ms");
    let mut link = head.welcome().await;
    let lease = link.assign(1, "starter").await;
    link.progress().await;
    link.tell(&ToWorker::HeadLeaves).await;
    link.done(lease).await;
    assert_eq!(link.hear().await, None);
    let mut link = head.welcome().await;
    assert_eq!(link.hello.holding, []);
    let lease = link.assign(2, "starter").await;
    link.done(lease).await;
}

#[tokio::test]
async fn told_to_leave_it_finishes_first() {
    let mut head = TestHead::start().await;
    let mut worker = head.worker("fake:300ms");
    let mut link = head.welcome().await;
    let lease = link.assign(1, "starter").await;
    link.progress().await;
    worker.terminate();
    link.until(|message| matches!(message, FromWorker::Leaving).then_some(())).await;
    link.done(lease).await;
    assert_eq!(link.hear().await, None);
    assert!(worker.ended().await.0);
}

#[tokio::test]
async fn told_to_leave_without_a_head_it_hands_in_first() {
    let mut head = TestHead::start().await;
    let mut worker = head.worker("fake:300ms");
    let mut link = head.welcome().await;
    let lease = link.assign(1, "starter").await;
    link.progress().await;
    worker.terminate();
    link.until(|message| matches!(message, FromWorker::Leaving).then_some(())).await;
    drop(link);
    let mut link = head.join().await;
    link.welcome(&[lease]).await;
    link.until(|message| matches!(message, FromWorker::Leaving).then_some(())).await;
    link.done(lease).await;
    assert!(worker.ended().await.0);
}

#[tokio::test]
async fn told_twice_it_leaves_at_once() {
    let mut head = TestHead::start().await;
    let mut worker = head.worker("fake:3600000ms");
    // An hour's trial: it has not dialled in, and there is nothing to finish.
    worker.terminate();
    worker.ended().await;

    let mut worker = head.worker("fake:200ms");
    let mut link = head.welcome().await;
    head.state.answer.store(503, Ordering::SeqCst);
    let lease = link.assign(1, "starter").await;
    assert_eq!(head.pictures.recv().await, Some(lease));
    worker.terminate();
    link.until(|message| matches!(message, FromWorker::Leaving).then_some(())).await;
    worker.terminate();
    worker.ended().await;
}

#[tokio::test]
async fn models_come_and_go_as_the_head_says() {
    let mut head = TestHead::start().await;
    let url = format!("ws://{}", head.address);
    let _worker = Worker::with(&url, "fake:10ms", &["--fake-models", "starter,clip", "--slots", "1"]);
    let mut link = head.welcome().await;
    let available: Vec<_> = link.hello.available.iter().map(|model| model.card.name.as_str()).collect();
    assert_eq!((link.hello.models.len(), available), (1, vec!["starter", "clip"]));
    link.tell(&ToWorker::Load { model: "clip".into() }).await;
    loop {
        let (warm, problem) = link.models().await;
        assert_eq!(problem, None);
        if warm == ["clip"] {
            break;
        }
    }
    let lease = link.assign(1, "starter").await;
    loop {
        if link.models().await.0 == ["starter"] {
            break;
        }
    }
    link.done(lease).await;
    link.tell(&ToWorker::Unload { model: "starter".into() }).await;
    assert_eq!(link.models().await, (vec![], None));
    link.tell(&ToWorker::Load { model: "stranger".into() }).await;
    assert!(link.models().await.1.is_some());
}

#[tokio::test]
async fn the_built_in_model_serves_a_head() {
    let mut head = TestHead::start().await;
    let url = format!("ws://{}", head.address);
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");
    let _worker = Worker::with(&url, "cpu", &["--models", models]);
    let mut link = head.welcome().await;
    let hello = &link.hello;
    assert!(hello.concurrency >= 2 && hello.batch_gain >= 1.0);
    assert_eq!(hello.models[0].card.name, "starter");
    assert!(hello.models[0].standard_ms > 0.0 && hello.memory_mb > 0);
    assert!(hello.available[0].memory_mb > 0 && hello.available[0].load_ms > 0.0);
    let first = link.assign(1, "starter").await;
    link.done(first).await;
    assert_eq!(head.pictures.recv().await, Some(first));
}

#[tokio::test]
async fn a_folder_without_models_is_said_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let (good, said) = Worker::with("ws://127.0.0.1:1", "cpu", &["--models", path]).ended().await;
    assert!(!good && said.contains("holds no model that can be used"), "{said}");
}

#[tokio::test]
async fn a_pinned_model_comes_first() {
    let mut head = TestHead::start().await;
    let url = format!("ws://{}", head.address);
    let arguments = ["--fake-models", "starter,clip", "--slots", "1", "--pin", "clip"];
    let _worker = Worker::with(&url, "fake:10ms", &arguments);
    let link = head.welcome().await;
    let warm: Vec<_> = link.hello.models.iter().map(|model| model.card.name.as_str()).collect();
    assert_eq!(warm, ["clip"]);
    assert_eq!(link.hello.available.iter().map(|model| model.pinned).collect::<Vec<_>>(), [false, true]);

    let (good, said) = Worker::with(&url, "fake:10ms", &["--pin", "nothing"]).ended().await;
    assert!(!good && said.contains("nothing"), "{said}");
}

#[tokio::test]
async fn the_condition_of_the_device_goes_with_heartbeats() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("heat.json");
    let write = |heat: &Heat| std::fs::write(&path, serde_json::to_vec(heat).expect("JSON")).expect("written");
    let cool = Heat { temperature: 50.0, clock_mhz: 1800, max_clock_mhz: 1800, ..Heat::default() };
    let hot = Heat { temperature: 92.0, clock_mhz: 900, throttle: vec!["sw_thermal_slowdown".into()], ..cool.clone() };
    write(&cool);
    let mut head = TestHead::start().await;
    let url = format!("ws://{}", head.address);
    let _worker = Worker::with(&url, "fake:10ms", &["--fake-heat", path.to_str().expect("a path")]);
    let mut link = head.welcome().await;
    for expected in [cool, hot] {
        write(&expected);
        link.until(|message| match message {
            FromWorker::Heartbeat { heat } => (heat.as_ref() == Some(&expected)).then_some(()),
            _ => None,
        })
        .await;
    }
}

#[tokio::test]
async fn a_head_behind_tls_is_served_alike() {
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, signed.cert.pem()).expect("written");
    let mut head = TestHead::start().await;
    let port = in_front_of(head.address, &signed).await;
    let url = format!("wss://localhost:{port}");

    let _worker = Worker::with(&url, "fake:10ms", &["--ca", ca.to_str().expect("a path")]);
    let mut link = head.welcome().await;
    let lease = link.assign(1, "starter").await;
    link.done(lease).await;
    assert_eq!(head.pictures.recv().await, Some(lease));
}

/// Listens with TLS and passes what is said on to `address`; its port.
async fn in_front_of(address: SocketAddr, signed: &rcgen::CertifiedKey<rcgen::KeyPair>) -> u16 {
    use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio_rustls::rustls::{ServerConfig, crypto};
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .expect("a certificate and its key");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let mut inside = tokio::net::TcpStream::connect(address).await.expect("the head");
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    port
}
