// Before the first paint: the theme the person chose. Without a choice, the system's.
(function () {
  try {
    var theme = localStorage.getItem("rivermeet.theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  } catch (_) {
    // Storage can be denied; the system's theme it is.
  }
})();
