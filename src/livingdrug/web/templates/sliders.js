"use strict";
(() => {
  const PAUSE = 60;
  const live = document.getElementById("live");
  const inputs = [...document.querySelectorAll("input[data-knob]")];
  if (!live || !inputs.length) return;
  const say = document.getElementById("what-if-answer");
  const took = document.getElementById("took");
  document.getElementById("without-script").remove();
  let timer = 0;
  let asked = null;

  const name = (input) => {
    const words = input.dataset.words.split("|")[Number(input.value)];
    document.getElementById("shown-" + input.dataset.knob).textContent = words;
    input.setAttribute("aria-valuetext", words);
  };
  const show = (answer) => {
    say.textContent = answer.drawn.text;
    Object.keys(answer.series).forEach((frame, k) => {
      document.getElementById("band-" + frame).setAttribute("d", answer.drawn.band[k]);
      document.getElementById("line-" + frame).setAttribute("d", answer.drawn.line[k]);
    });
    took.textContent = `${answer.summary.draws} draws in ${Math.round(answer.ms)} ms`;
  };
  const ask = async () => {
    if (asked) asked.abort();
    asked = new AbortController();
    const knobs = {};
    for (const input of inputs) {
      if (input.value !== input.dataset.start) {
        knobs[input.dataset.knob] = Number(input.dataset.positions.split("|")[Number(input.value)]);
      }
    }
    const { record, subject, seed } = live.dataset;
    const body = JSON.stringify({ record_id: record, subject_id: subject, seed: Number(seed), knobs });
    try {
      const headers = { "content-type": "application/json" };
      const answer = await fetch("/api/whatif", { method: "POST", headers, body, signal: asked.signal });
      const found = await answer.json();
      if (answer.ok && found.drawn) show(found);
      else say.textContent = found.error;
    } catch (error) {
      if (error.name !== "AbortError") say.textContent = "The server does not answer. Try again.";
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  };
  for (const input of inputs) {
    input.addEventListener("input", () => {
      name(input);
      later();
    });
  }
  document.getElementById("what-if-reset").addEventListener("click", () => {
    for (const input of inputs) {
      input.value = input.dataset.start;
      name(input);
    }
    later();
  });
})();
