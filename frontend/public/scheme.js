// Before the first paint, so that a dark page does not flash white. A file of its own: the content security
// policy allows no scripts within the page.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('pixelmend-color-scheme');
  } catch (error) {
    // Storage may be forbidden; the system's scheme counts then.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
