/* Nothing here is needed: the survey works without it. */
(function () {
  "use strict";
  // Leave without an entry for this page in the history of this tab; nothing is left
  // to be seen while the other page is on its way, or when it is gone back from.
  var leave = document.querySelector("a.leave");
  if (leave) {
    leave.addEventListener("click", function (event) {
      event.preventDefault();
      document.title = "\u2026";
      document.body.hidden = true;
      window.location.replace(leave.href);
    });
  }
  // A page that the browser kept is fetched anew: it may have been left, or erased.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) {
      document.body.hidden = true;
      window.location.replace(window.location.href);
    }
  });
  var form = document.querySelector("form");
  if (!form) { return; }
  // A second press while the page is on its way would change nothing; spare the wait.
  // The second half of a double click belongs to no page that opened in between.
  var sent = false;
  form.addEventListener("click", function (event) {
    if (event.detail > 1 && event.target.closest("button")) { event.preventDefault(); }
  });
  form.addEventListener("submit", function (event) {
    if (sent) { event.preventDefault(); return; }
    sent = true;
    window.setTimeout(function () { sent = false; }, 4000);
  });
  if (!form.hasAttribute("data-times")) { return; }
  // Time on single items: from the last event on the page to the answer.
  var last = Date.now();
  form.addEventListener("change", function (event) {
    var field = form.elements.namedItem("t_" + event.target.name);
    if (!field) { return; }
    var now = Date.now();
    field.value = String((parseInt(field.value, 10) || 0) + Math.max(0, now - last));
    last = now;
  });
}());
