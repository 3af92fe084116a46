// Measures the first page as Lighthouse's slow phone sees it (Moto G Power, slow 4G, a CPU four times slower; simulated),
// several times, and fails below what this project promises:
//   node lighthouse/measure.mjs http://127.0.0.1:3000 [RUNS]
import { existsSync } from 'node:fs';
import { launch } from 'chrome-launcher';
import lighthouse from 'lighthouse';

const [url, runs = '3'] = process.argv.slice(2);
const chromePath = [process.env.MINDSEYE_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const measured = [];
const complaints = new Set();
for (let run = 0; run < Number(runs); run += 1) {
  const chrome = await launch({ chromePath, chromeFlags: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
  try {
    const onlyCategories = ['performance', 'accessibility', 'best-practices'];
    const { lhr } = await lighthouse(url, { port: chrome.port, onlyCategories, logLevel: 'error' });
    const score = (name) => Math.round(lhr.categories[name].score * 100);
    const value = (name) => lhr.audits[name].numericValue;
    measured.push({
      performance: score('performance'), accessibility: score('accessibility'), 'best-practices': score('best-practices'),
      lcp: value('largest-contentful-paint'), cls: value('cumulative-layout-shift'), fcp: value('first-contentful-paint'),
      tbt: value('total-blocking-time'), bytes: value('total-byte-weight'),
    });
    for (const audit of Object.values(lhr.audits)) {
      const counts = ['accessibility', 'best-practices'].some((name) => lhr.categories[name].auditRefs.some((ref) => ref.id === audit.id && ref.weight > 0));
      if (counts && audit.score !== null && audit.score < 1) complaints.add(`${audit.id}: ${audit.title}`);
    }
  } finally {
    await chrome.kill();
  }
}
const figures = Object.fromEntries(Object.keys(measured[0]).map((name) => [name, median(measured.map((run) => run[name]))]));
const range = (name, digits = 0) => measured.map((run) => run[name].toFixed(digits)).join(', ');
console.log(`median of ${measured.length} runs of ${url}`);
for (const name of ['performance', 'accessibility', 'best-practices']) console.log(`  ${name.padEnd(16)} ${figures[name]}  (${range(name)})`);
console.log(`  LCP              ${(figures.lcp / 1000).toFixed(2)} s  (${range('lcp')} ms)`);
console.log(`  FCP              ${(figures.fcp / 1000).toFixed(2)} s`);
console.log(`  CLS              ${figures.cls.toFixed(4)}`);
console.log(`  blocking time    ${figures.tbt.toFixed(0)} ms  (${range('tbt')})`);
console.log(`  transferred      ${(figures.bytes / 1024).toFixed(0)} KB`);
for (const complaint of complaints) console.log(`  complaint: ${complaint}`);
const missed = [
  figures.performance < 95 && 'performance below 95', figures.accessibility < 100 && 'accessibility below 100',
  figures['best-practices'] < 95 && 'best practices below 95', figures.lcp > 2_000 && 'LCP above 2.0 s', figures.cls > 0.02 && 'CLS above 0.02',
].filter(Boolean);
if (missed.length) {
  console.error(`Missed: ${missed.join(', ')}`);
  process.exit(1);
}
