"use strict";
(() => {
  const holder = document.getElementById("what-if-answers");
  const inputs = [...document.querySelectorAll("input[data-knob]")];
  if (!holder || !inputs.length) return;
  const { frames, answers } = JSON.parse(holder.textContent);
  const say = document.getElementById("what-if-answer");

  const name = (input) => {
    const words = input.dataset.words.split("|")[Number(input.value)];
    document.getElementById("shown-" + input.dataset.knob).textContent = words;
    input.setAttribute("aria-valuetext", words);
  };
  const show = (answer) => {
    say.textContent = answer.text;
    frames.forEach((frame, k) => {
      document.getElementById("band-" + frame).setAttribute("d", answer.band[k]);
      document.getElementById("line-" + frame).setAttribute("d", answer.line[k]);
    });
  };
  const move = (input) => {
    for (const other of inputs) {
      if (other !== input) other.value = other.dataset.start;
      name(other);
    }
    show(answers[input.dataset.knob][Number(input.value)]);
  };
  for (const input of inputs) input.addEventListener("input", () => move(input));
  document.getElementById("what-if-reset").addEventListener("click", () => {
    inputs[0].value = inputs[0].dataset.start;
    move(inputs[0]);
  });
})();
