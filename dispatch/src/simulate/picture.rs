//! The trade-off between two classes as a picture: p95 against p95, one dot for each dispatcher.

use std::fmt::Write as _;

use super::Dispatcher;
use super::compare::{Comparison, three_figures};
use super::workload::Workload;

const WIDTH: f64 = 820.0;
const HEIGHT: f64 = 540.0;
/// The frame: left, top, right, bottom.
const FRAME: [f64; 4] = [76.0, 84.0, 796.0, 476.0];
const LABEL_HEIGHT: f64 = 16.0;

const STYLE: &str = "\
text{font:13px ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#4a4f57}
.title{font-size:17px;font-weight:600;fill:#15181d}.axis{fill:#6b717b;font-size:12px}
.grid{stroke:#e6e8ec}.fine{stroke:#f1f2f5}.ground{fill:#fff}
.dot{fill:#8b93a0}.ours{fill:#0f766e}.bound{fill:#fff;stroke:#8b93a0;stroke-width:1.75}.halo{fill:#0f766e;opacity:.13}
.name{fill:#15181d}.name-ours{fill:#0f766e;font-weight:600}.name-bound{fill:#6b717b}
.figures{fill:#6b717b;font-size:11.5px}.leader{stroke:#b9bec7}
@media(prefers-color-scheme:dark){text{fill:#b6bcc6}.title,.name{fill:#eef0f3}.axis,.figures,.name-bound{fill:#949ca8}
.grid{stroke:#2b3038}.fine{stroke:#1f2329}.ground{fill:#14171b}.dot{fill:#7d8694}.bound{fill:#14171b;stroke:#7d8694}
.ours,.name-ours,.halo{fill:#2dd4bf}.leader{stroke:#4a515c}}";

/// An SVG of the first short class's p95 over the first long class's, on logarithmic axes, readable on light and
/// dark ground; `None` if the workload has no such pair.
pub fn picture(workload: &Workload, comparison: &Comparison) -> Option<String> {
    let short = workload.classes.iter().position(|class| !class.long)?;
    let long = workload.classes.iter().position(|class| class.long)?;
    let dots: Vec<Dot> = comparison
        .rows
        .iter()
        .map(|(dispatcher, summary)| Dot {
            dispatcher: *dispatcher,
            x: summary.classes[long].p95_s,
            y: summary.classes[short].p95_s,
        })
        .filter(|dot| dot.x > 0.0 && dot.y > 0.0)
        .collect();
    let [left, top, right, bottom] = FRAME;
    let x = Axis::around(dots.iter().map(|dot| dot.x), left, right);
    let y = Axis::around(dots.iter().map(|dot| dot.y), bottom, top);
    let (short, long) = (&workload.classes[short].name, &workload.classes[long].name);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\" aria-labelledby=\"t d\">\n\
         <title id=\"t\">{}</title>\n<desc id=\"d\">{}</desc>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"10\"/>\n\
         <text class=\"title\" x=\"{left}\" y=\"36\">{}</text>\n\
         <text class=\"axis\" x=\"{left}\" y=\"58\">95 of 100 {short}s and {long}s take less than this, in seconds. \
         Lower left is better.</text>\n",
        escape(&format!("{short} and {long} times by dispatcher")),
        escape(&described(&dots, short, long)),
        escape(&format!("At load {:.2}: how long {short}s and {long}s take", comparison.load)),
    );
    draw_grid(&mut svg, &x, &y);
    let _ = writeln!(
        svg,
        "<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{} p95 →</text>\n\
         <text class=\"axis\" transform=\"translate(20 {top}) rotate(-90)\" text-anchor=\"end\">{} p95 →</text>",
        right,
        bottom + 44.0,
        escape(long),
        escape(short),
    );
    draw_dots(&mut svg, &dots, &x, &y);
    svg.push_str("</svg>\n");
    Some(svg)
}

struct Dot {
    dispatcher: Dispatcher,
    x: f64,
    y: f64,
}

impl Dot {
    fn class(&self) -> &'static str {
        match self.dispatcher {
            Dispatcher::WithTicks | Dispatcher::WithoutTicks => "ours",
            Dispatcher::ShortFirst | Dispatcher::LongFirst => "bound",
            Dispatcher::RoundRobin | Dispatcher::LeastLoaded | Dispatcher::BoundOnArrival => "dot",
        }
    }
}

/// A logarithmic axis in pixels.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn around(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min).log10();
        let high = values.fold(f64::NEG_INFINITY, f64::max).log10();
        let margin = 0.08 * (high - low).max(0.5);
        // Names need room below and to the left of the lowest, where the best ones are.
        Self { low: low - 1.8 * margin, high: high + margin, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value.log10() - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// 1, 2 and 5 times the powers of ten that the axis shows.
    fn marks(&self) -> Vec<(f64, bool)> {
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let marks = (first..last).flat_map(|power| (1..10).map(move |n| (n, f64::from(n) * 10f64.powi(power))));
        marks
            .filter(|(_, value)| (self.low..=self.high).contains(&value.log10()))
            .map(|(n, value)| (value, matches!(n, 1 | 2 | 5)))
            .collect()
    }
}

fn draw_grid(svg: &mut String, x: &Axis, y: &Axis) {
    let [left, top, right, bottom] = FRAME;
    for (value, named) in x.marks() {
        let (at, class) = (x.at(value), if named { "grid" } else { "fine" });
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{at:.1} {top}V{bottom}\"/>");
        if named {
            let (below, text) = (bottom + 20.0, named_mark(value));
            let _ =
                writeln!(svg, "<text class=\"axis\" x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{text}</text>");
        }
    }
    for (value, named) in y.marks() {
        let (at, class) = (y.at(value), if named { "grid" } else { "fine" });
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{left} {at:.1}H{right}\"/>");
        if named {
            let (before, middle, text) = (left - 8.0, at + 4.0, named_mark(value));
            let _ = writeln!(
                svg,
                "<text class=\"axis\" x=\"{before}\" y=\"{middle:.1}\" text-anchor=\"end\">{text}</text>"
            );
        }
    }
}

fn named_mark(value: f64) -> String {
    if value < 1.0 { format!("{value}") } else { three_figures(value).trim_end_matches(".0").to_owned() }
}

/// Names stand where they cover neither a dot nor another name; one that finds no such place is left to the table.
fn draw_dots(svg: &mut String, dots: &[Dot], x: &Axis, y: &Axis) {
    let mut taken: Vec<Rect> = Vec::new();
    for dot in dots {
        let (cx, cy) = (x.at(dot.x), y.at(dot.y));
        taken.push(Rect { left: cx - 8.0, top: cy - 8.0, right: cx + 8.0, bottom: cy + 8.0 });
    }
    let [left, top, right, bottom] = FRAME;
    let frame = Rect { left, top, right, bottom };
    for dot in dots {
        let (cx, cy) = (x.at(dot.x), y.at(dot.y));
        let name = dot.dispatcher.title();
        let figures = format!("{} / {} s", three_figures(dot.y), three_figures(dot.x));
        let width = 6.9 * name.len().max(figures.len()) as f64;
        let mut places = places(cx, cy, width);
        let free = places.find(|place| place.is_in(&frame) && !taken.iter().any(|other| other.meets(place)));
        let Some(place) = free else { continue };
        let middle = f64::midpoint(place.top, place.bottom);
        let (anchor, at, gap) = if place.left > cx {
            ("start", place.left, -4.0)
        } else if place.right < cx {
            ("end", place.right, 4.0)
        } else {
            ("middle", cx, 0.0)
        };
        if anchor != "middle" && (at - cx).hypot(middle - cy) > 24.0 {
            let (edge, above) = (at + gap, middle - 4.0);
            let _ = writeln!(svg, "<path class=\"leader\" d=\"M{cx:.1} {cy:.1}L{edge:.1} {above:.1}\"/>");
        }
        let class = match dot.class() {
            "ours" => "name-ours",
            "bound" => "name-bound",
            _ => "name",
        };
        let _ = writeln!(
            svg,
            "<text class=\"{class}\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n\
             <text class=\"figures\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{figures}</text>",
            place.top + 13.0,
            escape(name),
            place.top + 13.0 + LABEL_HEIGHT,
        );
        taken.push(place);
    }
    // Over the leaders.
    for dot in dots {
        let (cx, cy, class) = (x.at(dot.x), y.at(dot.y), dot.class());
        if dot.dispatcher == Dispatcher::WithTicks {
            let _ = writeln!(svg, "<circle class=\"halo\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"15\"/>");
        }
        let _ = writeln!(svg, "<circle class=\"{class}\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"6\"/>");
    }
}

/// Where a name of this width may stand beside a dot: the nearest first.
fn places(cx: f64, cy: f64, width: f64) -> impl Iterator<Item = Rect> {
    let height = 2.0 * LABEL_HEIGHT + 2.0;
    let rings = [(14.0, 0.0), (16.0, 24.0), (16.0, -24.0), (30.0, 44.0), (30.0, -44.0), (46.0, 70.0), (46.0, -70.0)];
    let beside = rings.into_iter().flat_map(move |(dx, dy)| [(cx + dx, dy), (cx - dx - width, dy)]);
    let over_and_under = [(cx - width / 2.0, 28.0), (cx - width / 2.0, -28.0)];
    beside.chain(over_and_under).map(move |(left, dy)| {
        let top = cy + dy - height / 2.0;
        Rect { left, top, right: left + width, bottom: top + height }
    })
}

#[derive(Clone, Copy)]
struct Rect {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Rect {
    fn meets(&self, other: &Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn is_in(&self, frame: &Self) -> bool {
        self.left >= frame.left && self.right <= frame.right && self.top >= frame.top && self.bottom <= frame.bottom
    }
}

/// The picture in words, for those who can't see it.
fn described(dots: &[Dot], short: &str, long: &str) -> String {
    let dots = dots.iter().map(|dot| {
        let (y, x) = (three_figures(dot.y), three_figures(dot.x));
        format!("{}: {short} {y} s, {long} {x} s", dot.dispatcher.title())
    });
    dots.collect::<Vec<_>>().join("; ")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
