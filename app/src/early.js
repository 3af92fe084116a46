// Runs before the first paint, apart from the rest of the scripts: it works before they come, and after they broke.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem('theme');
    if (theme) root.dataset.theme = theme;
  } catch (e) {}
  const stop = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  // Without the scripts' help the browser follows links and sends forms by itself.
  const plain = () => !('hydrated' in root.dataset);
  addEventListener('click', (event) => {
    const link = event.target.closest && event.target.closest('a[href]');
    // Where to go on should the page's scripts break on the way there.
    if (link) root.dataset.going = link.href;
    if ('broken' in root.dataset) event.stopImmediatePropagation();
  }, true);
  addEventListener('popstate', () => delete root.dataset.going, true);
  addEventListener('submit', (event) => {
    const form = event.target;
    // What is on its way is not sent, and paid, a second time.
    if (form.getAttribute('aria-busy') === 'true' || 'sent' in form.dataset) return stop(event);
    if ('broken' in root.dataset) event.stopImmediatePropagation();
    if (plain() && form.method === 'post') form.dataset.sent = '';
  }, true);
  addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
  });
  addEventListener('change', (event) => {
    if (plain() && 'sends' in event.target.dataset) event.target.form.requestSubmit();
  });
})();
