/* Nothing here is needed: the survey works without it. */
(function () {
  "use strict";
  // Leave without an entry in the history of this tab.
  var leave = document.querySelector("a.leave");
  if (leave) {
    leave.addEventListener("click", function (event) {
      event.preventDefault();
      window.location.replace(leave.href);
    });
  }
  var form = document.querySelector("form[data-times]");
  if (!form) { return; }
  // Time on single items: from the last event on the page to the answer.
  var last = Date.now(), sent = false;
  form.addEventListener("change", function (event) {
    var name = event.target.name, field = form.elements["t_" + name];
    if (!field) { return; }
    var now = Date.now();
    field.value = String((parseInt(field.value, 10) || 0) + Math.max(0, now - last));
    last = now;
  });
  // A second press while the page is on its way would change nothing; spare the wait.
  form.addEventListener("submit", function (event) {
    if (sent) { event.preventDefault(); return; }
    sent = true;
    window.setTimeout(function () { sent = false; }, 4000);
  });
}());
