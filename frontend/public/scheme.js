// This runs before the first paint, so that a dark page does not flash white. It is a file of its own, since the
// content security policy allows no scripts within the page.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('pixelmend-color-scheme');
  } catch (error) {
    // If storage is forbidden, the scheme of the system counts.
  }
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
