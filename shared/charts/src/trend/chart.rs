//! Draws the chart of a trend: bars side by side, or lines if there are too many buckets for bars.
//!
//! Invariants: the same file is legible on white and on black, in print and without colours. Text has a contrast of
//! at least 4.5 to 1 with both backgrounds, and shapes 3 to 1; the second series differs in form as well as in
//! colour. Text from users is escaped, so it can't add markup.

use std::io;

use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::combinators::{BindKeyPoints, WithKeyPoints};
use plotters::coord::types::{RangedCoordi32, RangedCoordi128};
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, ShapeStyle, TRANSPARENT, TextStyle};
use purser_domain::basic::text::is_allowed;

use super::Bucket;
use super::axis::{Scale, grouped, labels};

/// How many units of the drawing make up a pixel. plotters uses integer coordinates, and there may be more buckets
/// than pixels.
const FINE: i32 = 4;
const SIZE: (i32, i32) = (720 * FINE, 420 * FINE);
/// The margin left of the plot, which holds the labels of the vertical axis.
const LEFT: i32 = 92 * FINE;
/// The margin right of the plot, into which half of the last bucket's label may extend.
const RIGHT: i32 = 40 * FINE;
/// The size of text on a telephone's screen. `STYLES` makes it smaller on wider screens.
const TEXT: i32 = 20 * FINE;
/// How many characters fit side by side, in the title and in the labels of buckets.
const ACROSS: usize = 54;
const BUCKET: i32 = 120;
/// The most bars that people can tell apart.
const MOST_BARS: usize = 124;
/// If there are fewer buckets than this, bars get no wider: a single bar as wide as the plot would not look like a
/// bar.
const FEW: i32 = 8;

pub(super) const INK: RGBColor = RGBColor(0x76, 0x76, 0x76);
/// The colours of the series: blue and vermilion, which people with any kind of colour blindness can tell apart
/// (Okabe and Ito).
pub(super) const COLOURS: [RGBColor; 2] = [RGBColor(0x00, 0x72, 0xb2), RGBColor(0xd5, 0x5e, 0x00)];

/// Styles for wide screens: the picture grows, but text keeps about the same size in pixels.
const STYLES: &str = "text{font-family:system-ui,sans-serif}polyline{stroke-linejoin:round}\
    @media(min-width:560px){text{font-size:56px}}@media(min-width:1000px){text{font-size:36px}}";

type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<io::Error>>;
type Paper<'p> = DrawingArea<SVGBackend<'p>, Shift>;
type Plot<'a, 'p> =
    ChartContext<'a, SVGBackend<'p>, Cartesian2d<WithKeyPoints<RangedCoordi32>, WithKeyPoints<RangedCoordi128>>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bars,
    Lines,
}

/// The SVG document that shows `buckets` under a title, with a legend if there are two series.
pub(super) fn svg<const SERIES: usize>(
    title: &str,
    series: [&str; SERIES],
    buckets: &[Bucket<SERIES>],
) -> Drawn<String> {
    // With two series, each bucket has two bars, and each bar needs twice the width to be told from its neighbour.
    let form = if buckets.len() * SERIES * SERIES > MOST_BARS { Form::Lines } else { Form::Bars };
    let mut drawing = String::new();
    let size = (SIZE.0.unsigned_abs(), SIZE.1.unsigned_abs());
    let paper = SVGBackend::with_string(&mut drawing, size).into_drawing_area();
    let heading = shortened(&readable(title));
    let bold = written(FontStyle::Bold, HPos::Left);
    paper.draw(&Text::new(heading, (16 * FINE, 12 * FINE), bold))?;
    if SERIES > 1 {
        legend(&paper, series, form)?;
    }
    let periods: Vec<_> = buckets.iter().map(|it| readable(&it.period)).collect();
    let scale = Scale::of(buckets.iter().flat_map(|it| it.figures));
    let top = if SERIES > 1 { 86 } else { 56 } * FINE;
    let mut plot = axes(&paper, top, &periods, scale)?;
    match form {
        _ if buckets.is_empty() => {
            let middle = (LEFT + (SIZE.0 - LEFT - RIGHT) / 2, SIZE.1 / 2);
            paper.draw(&Text::new(NOTHING, middle, written(FontStyle::Normal, HPos::Center)))?;
        }
        Form::Bars => bars(&mut plot, buckets)?,
        Form::Lines => lines(&mut plot, buckets)?,
    }
    let zero = (0, 0);
    let end = (width(buckets.len().max(1)), 0);
    plot.draw_series([PathElement::new([zero, end], stroke(INK))])?;
    drop(plot);
    paper.present()?;
    drop(paper);
    Ok(document(title, &described(series, buckets), &drawing))
}

const NOTHING: &str = "No periods in this range";

fn legend<const SERIES: usize>(paper: &Paper<'_>, series: [&str; SERIES], form: Form) -> Drawn {
    let mut left = 16 * FINE;
    let (top, bottom) = (50 * FINE, 66 * FINE);
    for (place, name) in series.iter().enumerate() {
        let colour = colour(place);
        let right = left + 20 * FINE;
        if place == 0 {
            paper.draw(&Rectangle::new([(left, top), (right, bottom)], colour.filled()))?;
        } else if form == Form::Lines {
            let middle = i32::midpoint(top, bottom);
            paper.draw(&PathElement::new([(left, middle), (right, middle)], stroke(colour)))?;
        } else {
            outlined(colour, (left, top), (right, bottom), |path| paper.draw(&path))?;
        }
        let at = (right + 8 * FINE, i32::midpoint(top, bottom));
        let name = shortened(&readable(name));
        let wide = i32::try_from(name.chars().count()).unwrap_or_default() * TEXT * 6 / 10;
        let style = written(FontStyle::Normal, HPos::Left).pos(Pos::new(HPos::Left, VPos::Center));
        paper.draw(&Text::new(name, at, style))?;
        left = at.0 + wide + 20 * FINE;
    }
    Ok(())
}

fn axes<'a, 'p>(paper: &'a Paper<'p>, top: i32, periods: &[String], scale: Scale) -> Drawn<Plot<'a, 'p>> {
    let names: Vec<_> = periods.iter().map(String::as_str).collect();
    let labelled = labels(&names, ACROSS);
    let centres = labelled.iter().map(|(place, _)| centre(*place)).collect();
    let label = |x: &i32| {
        let found = labelled.iter().find(|(place, _)| centre(*place) == *x);
        found.map_or_else(String::new, |(_, text)| (*text).to_owned())
    };
    let mut plot = ChartBuilder::on(paper)
        .margin_top(top)
        .margin_right(RIGHT)
        .margin_bottom(8 * FINE)
        .set_label_area_size(plotters::chart::LabelAreaPosition::Left, LEFT)
        .set_label_area_size(plotters::chart::LabelAreaPosition::Bottom, 36 * FINE)
        .build_cartesian_2d(
            (0..width(periods.len().max(1))).with_key_points(centres),
            (scale.low..scale.high).with_key_points(scale.marks()),
        )?;
    plot.configure_mesh()
        .disable_x_mesh()
        .axis_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.35).stroke_width(FINE.unsigned_abs()))
        .light_line_style(TRANSPARENT)
        .set_all_tick_mark_size(4 * FINE)
        .label_style(written(FontStyle::Normal, HPos::Center))
        .x_label_formatter(&label)
        .y_label_formatter(&|mark| scale.label(*mark))
        .draw()?;
    Ok(plot)
}

/// Draws a bar for each figure. Bars of the second series are outlined instead of filled.
fn bars<const SERIES: usize>(plot: &mut Plot<'_, '_>, buckets: &[Bucket<SERIES>]) -> Drawn {
    // A tenth of a bucket's width stays empty on either side.
    let count = i32::try_from(buckets.len()).unwrap_or(i32::MAX);
    let all = BUCKET * 8 / 10 * count.min(FEW) / FEW;
    let one = all / i32::try_from(SERIES).unwrap_or(1);
    for (place, bucket) in buckets.iter().enumerate() {
        let mut left = centre(place) - all / 2;
        for (series, figure) in bucket.figures.into_iter().enumerate() {
            let (from, to) = ((left, 0), (left + one, i128::from(figure)));
            if series == 0 {
                let bar = Rectangle::new([from, to], colour(series).filled());
                plot.draw_series([bar])?;
            } else {
                let from = (from.0 + one / 8, from.1);
                outlined(colour(series), from, to, |path| plot.draw_series([path]).map(|_| ()))?;
            }
            left += one;
        }
    }
    Ok(())
}

/// Draws a line through the figures of each series. The area below the first line is filled.
fn lines<const SERIES: usize>(plot: &mut Plot<'_, '_>, buckets: &[Bucket<SERIES>]) -> Drawn {
    for series in 0..SERIES {
        let figure = |bucket: &Bucket<SERIES>| bucket.figures.get(series).copied();
        let points = buckets.iter().enumerate();
        let points = points.filter_map(|(place, bucket)| Some((centre(place), i128::from(figure(bucket)?))));
        let points: Vec<_> = points.collect();
        if let (0, Some(first), Some(last)) = (series, points.first(), points.last()) {
            let mut area = points.clone();
            area.extend([(last.0, 0), (first.0, 0)]);
            plot.draw_series([Polygon::new(area, colour(series).mix(0.45))])?;
        }
        plot.draw_series([PathElement::new(points, stroke(colour(series)))])?;
    }
    Ok(())
}

fn outlined<Y: Copy>(
    colour: RGBColor,
    from: (i32, Y),
    to: (i32, Y),
    draw: impl FnOnce(PathElement<(i32, Y)>) -> Drawn,
) -> Drawn {
    let corners = [from, (from.0, to.1), to, (to.0, from.1), from];
    draw(PathElement::new(corners, stroke(colour)))
}

/// The horizontal position of the middle of the bucket at index `place`.
fn centre(place: usize) -> i32 {
    width(place) + BUCKET / 2
}

fn width(buckets: usize) -> i32 {
    i32::try_from(buckets).map_or(i32::MAX, |it| it.saturating_mul(BUCKET))
}

fn colour(series: usize) -> RGBColor {
    COLOURS.get(series).copied().unwrap_or(INK)
}

fn stroke(colour: RGBColor) -> ShapeStyle {
    colour.stroke_width(2 * FINE.unsigned_abs())
}

/// The style of text. plotters expects the height of a line, which is 1.24 times the size of the letters.
fn written(style: FontStyle, across: HPos) -> TextStyle<'static> {
    let font = ("sans-serif", f64::from(TEXT) * 1.24, style).into_font();
    TextStyle::from(font).color(&INK).pos(Pos::new(across, VPos::Top))
}

/// A description of the chart, for people who can't see it.
fn described<const SERIES: usize>(series: [&str; SERIES], buckets: &[Bucket<SERIES>]) -> String {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        return format!("{NOTHING}.");
    };
    let range = match buckets.len() {
        1 => format!("{}.", first.period),
        count => format!("{count} periods from {} to {}.", first.period, last.period),
    };
    let told = series.into_iter().enumerate().map(|(place, name)| {
        let figures = buckets.iter().filter_map(|it| it.figures.get(place));
        let figures = figures.map(|it| i128::from(*it));
        let most = figures.clone().max().unwrap_or_default();
        let least = figures.clone().min().unwrap_or_default();
        let [sum, least, most] = [figures.sum(), least, most].map(grouped);
        format!(" {name}: {sum} in total, from {least} to {most} per period.")
    });
    std::iter::once(range).chain(told).collect()
}

/// The SVG document around a drawing, with a title and a description for screen readers, and styles that adapt it to
/// the width of the screen.
fn document(title: &str, description: &str, drawing: &str) -> String {
    let (title, description) = (escaped(title), escaped(description));
    let (width, height) = SIZE;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{}\" height=\"{}\" \
         style=\"max-width:100%;height:auto\" role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{title}</title>\n<desc id=\"description\">{description}</desc>\n\
         <style>{STYLES}</style>\n{drawing}</svg>\n",
        width / FINE,
        height / FINE,
    )
}

/// Replaces with spaces: control characters, characters that change the text direction, and those that XML forbids.
fn readable(text: &str) -> String {
    let none = |it: char| !is_allowed(it) || matches!(it, '\u{fffe}' | '\u{ffff}');
    text.replace(none, " ")
}

fn escaped(text: &str) -> String {
    let text = readable(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Shortens text so that it fits into a line. Characters of three or more bytes count as double width.
fn shortened(text: &str) -> String {
    let mut room = ACROSS;
    let mut fits = |it: &char| {
        let left = room.checked_sub(if it.len_utf8() > 2 { 2 } else { 1 });
        room = left.unwrap_or_default();
        left.is_some()
    };
    let short: String = text.chars().take_while(&mut fits).collect();
    if short.len() < text.len() { format!("{}…", short.trim_end()) } else { short }
}
