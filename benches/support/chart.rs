//! A chart of time by pages in flight, both on logarithmic scales, as SVG.

use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 490.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 340.0;
/// The maximum of the scale of pages in flight, and the minimum and maximum of the seconds.
const MOST_PAGES: f64 = 16.0;
const SECONDS: (f64, f64) = (0.5, 32.0);

/// A line of the chart: pages in flight and seconds.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) color: &'static str,
    pub(crate) is_dashed: bool,
    pub(crate) points: Vec<(u32, f64)>,
}

/// The whole chart.
pub(crate) fn svg(title: &str, curves: &[Curve]) -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">
<title>{title}</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<text x="{LEFT}" y="30" font-size="15" font-weight="bold">{title}</text>
"##
    );
    grid(&mut svg);
    for curve in curves {
        draw(&mut svg, curve);
    }
    labels(&mut svg, curves);
    svg.push_str("</svg>\n");
    svg
}

fn x(pages: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * pages.log2() / MOST_PAGES.log2()
}

fn y(seconds: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * (seconds / SECONDS.0).log2() / (SECONDS.1 / SECONDS.0).log2()
}

fn grid(svg: &mut String) {
    for seconds in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0] {
        let at = y(seconds);
        put(svg, format_args!(r##"<path d="M{LEFT} {at:.1}H{RIGHT}" stroke="#ddd"/>"##));
        put(
            svg,
            format_args!(r#"<text x="{:.1}" y="{:.1}" text-anchor="end">{seconds} s</text>"#, LEFT - 8.0, at + 4.0),
        );
    }
    for pages in [1.0, 2.0, 4.0, 8.0, 16.0] {
        let at = x(pages);
        put(svg, format_args!(r##"<path d="M{at:.1} {TOP}V{BOTTOM}" stroke="#ddd"/>"##));
        put(svg, format_args!(r#"<text x="{at:.1}" y="{:.1}" text-anchor="middle">{pages}</text>"#, BOTTOM + 20.0));
    }
    let middle = f64::midpoint(LEFT, RIGHT);
    put(
        svg,
        format_args!(r#"<text x="{middle}" y="{:.1}" text-anchor="middle">pages in flight</text>"#, BOTTOM + 42.0),
    );
}

fn draw(svg: &mut String, curve: &Curve) {
    let color = curve.color;
    let places: Vec<String> =
        curve.points.iter().map(|(pages, seconds)| format!("{:.1},{:.1}", x(f64::from(*pages)), y(*seconds))).collect();
    let dashes = if curve.is_dashed { r#" stroke-dasharray="5 4""# } else { "" };
    put(
        svg,
        format_args!(
            r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>"#,
            places.join(" ")
        ),
    );
    if curve.is_dashed {
        return;
    }
    for (pages, seconds) in &curve.points {
        let (x, y) = (x(f64::from(*pages)), y(*seconds));
        put(svg, format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" fill="{color}"/>"#));
    }
}

/// The names of the lines, with their last times.
fn labels(svg: &mut String, curves: &[Curve]) {
    let mut at = TOP + 12.0;
    for curve in curves {
        let Some((pages, seconds)) = curve.points.last() else { continue };
        let x = RIGHT + 16.0;
        put(svg, format_args!(r#"<rect x="{x}" y="{}" width="10" height="10" fill="{}"/>"#, at - 10.0, curve.color));
        put(svg, format_args!(r#"<text x="{}" y="{at}">{}</text>"#, x + 16.0, curve.name));
        put(
            svg,
            format_args!(
                r##"<text x="{}" y="{}" fill="#555">{seconds:.2} s with {pages}</text>"##,
                x + 16.0,
                at + 17.0
            ),
        );
        at += 44.0;
    }
}

fn put(svg: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(svg, "{line}");
}
