use dispatch::simulate::*;
use dispatch::*;
fn main() {
    let a: Vec<f64> = std::env::args().skip(1).filter_map(|x| x.parse().ok()).collect();
    let w = Workload {
        speeds: vec![1.3, 1.2, 1.0, 1.0, 0.9, 0.8, 0.7],
        jobs: 60000,
        loads: vec![],
        seeds: vec![],
        owners: 20000,
        switch_s: 0.3,
        classes: vec![
            Class { name: "image".into(), share: 0.985, seconds: 3.0, spread: 0.2, steps: 12, long: false },
            Class { name: "video".into(), share: 0.015, seconds: 180.0, spread: 0.2, steps: 30, long: true },
        ],
        wrong_estimates: 0.0,
        estimate_factor: 2.0,
        incidents: vec![],
    };
    let mut p = Policy::default();
    if a.len() > 1 && a[1] > 0.0 {
        p.long.busy_share = a[1];
    }
    for d in Dispatcher::ALL {
        if a.len() > 3 && (a[3] == 2.0 && d != Dispatcher::WithTicks || a[3] == 3.0 && d != Dispatcher::WithoutTicks) {
            continue;
        }
        if a.len() > 3 && !matches!(d, Dispatcher::WithTicks | Dispatcher::WithoutTicks) {
            continue;
        }
        let runs: Vec<Summary> = (1..=5).map(|s| summarise(&w, &simulate(&w, a[0], s, d, &p))).collect();
        let m = Summary::mean(&runs);
        println!(
            "{:38} image med {:5.1} p95 {:6.1} wait {:6.1}  video med {:6.1} p95 {:6.1} wait {:6.1}",
            d.title(),
            m.classes[0].median_s,
            m.classes[0].p95_s,
            m.classes[0].longest_wait_s,
            m.classes[1].median_s,
            m.classes[1].p95_s,
            m.classes[1].longest_wait_s
        );
    }
}
