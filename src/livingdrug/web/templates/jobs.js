"use strict";
(() => {
  const PAUSE = 700;
  const show = (place, job) => {
    for (const part of ["state", "message"]) {
      const cell = place.querySelector(`[data-part="${part}"]`);
      if (cell.textContent !== job[part]) cell.textContent = job[part];
    }
    const bar = place.querySelector("progress");
    if (bar) bar.value = 100 * job.progress;
  };
  const look = async (place) => {
    try {
      const answer = await fetch("/api/jobs/" + place.dataset.job);
      if (answer.ok) {
        const job = await answer.json();
        show(place, job);
        if (job.state === "done" || job.state === "failed") {
          if ("follow" in place.dataset && job.result && job.result.page) location.replace(job.result.page);
          else location.reload();
          return;
        }
      }
    } catch {
      place.querySelector('[data-part="message"]').textContent = "the server does not answer; trying again";
    }
    setTimeout(() => look(place), PAUSE);
  };
  for (const place of document.querySelectorAll("[data-job][data-open]")) look(place);
})();
