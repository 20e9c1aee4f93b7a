// How long OpenMP's threads, with which libllama and oneDNN compute, wait for one another by
// spinning.
#pragma once

namespace tinyarms {

// libgomp's own answer is some milliseconds. Beside other work that is a time slice taken from the
// thread that is waited for, at every one of the hundreds of barriers of a token (decision 0135 has
// what it costs). libgomp reads the variable for it before main, so this starts the program again,
// in this process, with the variable set; not where the user has set it, or OMP_WAIT_POLICY. Goes
// on where that fails. First in main, before anything is open.
void wait_patiently(char** argv);

}  // namespace tinyarms
