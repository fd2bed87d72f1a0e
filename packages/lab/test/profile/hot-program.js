// A known hot function, for profiles to find; its other threads (V8's workers) wait.
function veryHot(rounds) {
  let sum = 0;
  for (let index = 0; index < rounds; index++) sum += Math.sqrt(index) % 7;
  return sum;
}

for (;;) veryHot(1e6);
