//! A Markdown document as a flat list of its blocks, with links and emphasis reduced to text.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use crate::import::fields;

/// A block, and where it is.
#[derive(Debug)]
pub(super) struct Block {
    /// Counted from 1.
    pub line: usize,
    /// In how many items of lists it is; an item is in itself.
    pub depth: usize,
    pub content: Content,
}

#[derive(Debug, PartialEq)]
pub(super) enum Content {
    Heading {
        level: usize,
        text: String,
    },
    Paragraph(String),
    Quote(String),
    /// The text of an item, and whether a list or a block follows inside of it.
    Item {
        /// What stands in bold before a colon.
        title: String,
        text: String,
        has_more: bool,
    },
    Code {
        language: String,
        text: String,
    },
    Table {
        names: Vec<String>,
        /// Lines and cells.
        rows: Vec<(usize, Vec<String>)>,
    },
    /// A line across.
    Rule,
    /// HTML that is more than a comment.
    Html,
}

/// The blocks of a document. `raw` keeps backslashes before parentheses, which are part of many prompts.
pub(super) fn blocks(source: &str, raw: bool) -> Vec<Block> {
    let mut reader = Reader::new(source, raw);
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    for (event, range) in Parser::new_ext(source, options).into_offset_iter() {
        reader.event(event, &range);
    }
    reader.flush();
    reader.blocks
}

/// Tags that only say how text looks. Others are part of a prompt: "a photo of `<my-cat>`".
const LOOKS: [&str; 18] = [
    "a", "b", "i", "u", "s", "em", "strong", "span", "p", "sub", "sup", "code", "small", "img", "font", "mark", "del",
    "kbd",
];

/// A link of so many words is a prompt that leads to its picture.
const PROMPT_WORDS: usize = 4;

struct Reader<'a> {
    source: &'a str,
    raw: bool,
    line_starts: Vec<usize>,
    blocks: Vec<Block>,
    text: String,
    line: usize,
    items: usize,
    quotes: usize,
    /// Whether the bold text that is open begins a text.
    bold: bool,
    /// How long the text in bold is with which an item begins.
    lead: usize,
    /// The address of a link with which a text begins, and where its text ends.
    link: Option<(String, usize)>,
    /// Written where an open link or emphasis ends.
    closers: Vec<&'static str>,
    language: Option<String>,
    row: Vec<String>,
    names: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str, raw: bool) -> Self {
        let line_starts = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            source,
            raw,
            line_starts,
            blocks: Vec::new(),
            text: String::new(),
            line: 1,
            items: 0,
            quotes: 0,
            bold: false,
            lead: 0,
            link: None,
            closers: Vec::new(),
            language: None,
            row: Vec::new(),
            names: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, range: &Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => {
                // An escaped parenthesis begins a text of its own.
                if self.raw && self.language.is_none() && text.starts_with(['(', ')']) && self.is_escaped(range.start) {
                    self.text.push('\\');
                }
                self.text.push_str(&text);
            }
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => self.text.push_str(&text),
            Event::InlineHtml(tag) => self.inline_html(&tag),
            Event::Html(html) if !html.trim_start().starts_with("<!--") => {
                // Several lines of it are one block.
                if !matches!(self.blocks.last(), Some(Block { content: Content::Html, .. })) {
                    self.line = self.line_of(range.start);
                    self.push(Content::Html);
                }
            }
            Event::SoftBreak | Event::HardBreak => self.text.push('\n'),
            Event::Rule => {
                self.flush();
                self.line = self.line_of(range.start);
                self.push(Content::Rule);
            }
            Event::Html(_) | Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>) {
        match tag {
            // Paragraphs of an item are one text.
            Tag::Paragraph if self.items > 0 && !self.text.is_empty() => self.text.push('\n'),
            Tag::Paragraph | Tag::Heading { .. } | Tag::Table(_) => self.begin(range),
            Tag::List(_) => self.flush_item(true),
            Tag::Item => {
                self.begin(range);
                self.items += 1;
            }
            Tag::BlockQuote(_) => {
                self.flush_item(true);
                self.begin(range);
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush_item(true);
                self.begin(range);
                let language = if let CodeBlockKind::Fenced(info) = &kind { info.as_ref() } else { "" };
                self.language = Some(language.split([' ', ',', '{']).next().unwrap_or_default().to_ascii_lowercase());
            }
            Tag::TableHead | Tag::TableRow => {
                self.row.clear();
                self.line = self.line_of(range.start);
            }
            Tag::Link { link_type: LinkType::Autolink, dest_url, .. } if !is_web(&dest_url) => {
                // "<lora:name:0.8>" is an address only to Markdown.
                self.text.push('<');
                self.closers.push(">");
            }
            Tag::Strong if self.is_wildcard(range) => {
                self.text.push_str("__");
                self.closers.push("__");
            }
            Tag::Link { dest_url, .. } => {
                if self.text.trim().is_empty() && is_web(&dest_url) {
                    self.link = Some((dest_url.to_string(), 0));
                }
                self.closers.push("");
            }
            Tag::Strong => {
                self.bold = self.text.trim().is_empty();
                self.closers.push("");
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let text = self.take();
                self.push(Content::Heading { level: number(level), text });
            }
            TagEnd::Paragraph if self.items == 0 => self.flush(),
            TagEnd::Item => {
                self.flush_item(false);
                self.items = self.items.saturating_sub(1);
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::CodeBlock => {
                let text = std::mem::take(&mut self.text);
                let language = self.language.take().unwrap_or_default();
                self.push(Content::Code { language, text });
            }
            TagEnd::TableCell => {
                let cell = self.take();
                self.row.push(cell);
            }
            TagEnd::TableHead => self.names = std::mem::take(&mut self.row),
            TagEnd::TableRow => self.rows.push((self.line, std::mem::take(&mut self.row))),
            TagEnd::Table => {
                let (names, rows) = (std::mem::take(&mut self.names), std::mem::take(&mut self.rows));
                self.line = rows.first().map_or(self.line, |row| row.0.saturating_sub(2));
                self.push(Content::Table { names, rows });
            }
            TagEnd::Link | TagEnd::Strong => {
                self.text.push_str(self.closers.pop().unwrap_or_default());
                if tag == TagEnd::Strong && std::mem::take(&mut self.bold) {
                    self.lead = self.text.len();
                }
                if let (TagEnd::Link, Some((_, end @ 0))) = (tag, &mut self.link) {
                    *end = self.text.len();
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, range: &Range<usize>) {
        self.flush();
        self.line = self.line_of(range.start);
    }

    /// Whatever text is open is a block.
    fn flush(&mut self) {
        if self.items > 0 {
            return self.flush_item(false);
        }
        let text = self.take_block();
        if !text.is_empty() {
            self.push(if self.quotes > 0 { Content::Quote(text) } else { Content::Paragraph(text) });
        }
    }

    fn flush_item(&mut self, has_more: bool) {
        let (bold, rest) = self.text.split_at_checked(self.lead).unwrap_or_default();
        let (bold, rest) = (bold.trim(), rest.trim());
        let split = match (bold.strip_suffix(':'), rest.strip_prefix([':', '–', '—'])) {
            (Some(bold), _) => Some((bold, rest)),
            (None, Some(rest)) => Some((bold, rest)),
            (None, None) => None,
        };
        // "**Seed:** 5" is no title.
        let title = match split {
            Some((bold, rest)) if !bold.is_empty() && !rest.is_empty() && fields::meaning(bold).is_none() => {
                let title = bold.trim().to_owned();
                self.text = rest.to_owned();
                title
            }
            _ => String::new(),
        };
        let text = self.take_block();
        if !text.is_empty() {
            self.push(Content::Item { title, text, has_more });
        }
    }

    /// The open text. One that is only a link of a few words is its address: such words say where it leads.
    fn take_block(&mut self) -> String {
        let link = self.link.take();
        let ends = |end: usize| end > 0 && self.text.get(end..).is_some_and(|rest| rest.trim().is_empty());
        match link {
            Some((address, end)) if ends(end) && self.text.split_whitespace().count() < PROMPT_WORDS => {
                self.take();
                address
            }
            _ => self.take(),
        }
    }

    fn take(&mut self) -> String {
        self.link = None;
        self.lead = 0;
        std::mem::take(&mut self.text).trim().to_owned()
    }

    fn push(&mut self, content: Content) {
        self.blocks.push(Block { line: self.line, depth: self.items, content });
    }

    fn inline_html(&mut self, tag: &str) {
        let name = tag.trim_start_matches(['<', '/']);
        let name = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        if name == "br" {
            self.text.push('\n');
        } else if !name.is_empty() && !LOOKS.contains(&name.as_str()) {
            self.text.push_str(tag);
        }
    }

    fn is_escaped(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.source.as_bytes().get(before)) == Some(&b'\\')
    }

    /// "__animal__" stands for a word of a list, and is no bold type.
    fn is_wildcard(&self, range: &Range<usize>) -> bool {
        let inside = self.source.get(range.clone()).and_then(|text| text.strip_prefix("__")?.strip_suffix("__"));
        inside.is_some_and(|name| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/')))
    }

    fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }
}

fn is_web(address: &str) -> bool {
    ["http:", "https:", "mailto:", "ftp:"].iter().any(|scheme| address.starts_with(scheme))
}

fn number(level: HeadingLevel) -> usize {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let text = |block: Block| match block.content {
            Content::Heading { text, .. } | Content::Paragraph(text) | Content::Quote(text) => text,
            Content::Item { text, .. } | Content::Code { text, .. } => text,
            other => format!("{other:?}"),
        };
        blocks(source, true).into_iter().map(text).collect()
    }

    #[test]
    fn marks_go_and_words_stay() {
        assert_eq!(texts("- a **bold** [sea](https://example.org) at `dusk`"), ["a bold sea at dusk"]);
        assert_eq!(
            texts("- <lora:ink:0.8> __animal__ by <my-cat> \\(series\\)<br>x"),
            ["<lora:ink:0.8> __animal__ by <my-cat> \\(series\\)\nx"]
        );
        assert_eq!(texts("> quoted\n> twice\n\n<!-- no -->\n\n    code\n"), ["quoted\ntwice", "code\n"]);
    }

    #[test]
    fn places_are_told() {
        let read = blocks("# One\n\n- a\n  - b\n\n| prompt | seed |\n|---|---|\n| sea | 5 |\n", true);
        let places: Vec<(usize, usize)> = read.iter().map(|block| (block.line, block.depth)).collect();
        assert_eq!(places, [(1, 0), (3, 1), (4, 2), (6, 0)]);
        assert_eq!(read[1].content, Content::Item { title: String::new(), text: "a".into(), has_more: true });
        let rows = vec![(8, vec!["sea".to_owned(), "5".to_owned()])];
        assert_eq!(read[3].content, Content::Table { names: vec!["prompt".into(), "seed".into()], rows });
    }
}
