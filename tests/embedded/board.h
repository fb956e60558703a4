/* What the embedded tests need of a board: text out, and an end with a status. Semihosting, so that the
 * emulator's exit status is the program's. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* The test; its result (0 = passed) becomes the exit status of the emulator. */
int run(void);

void print(const char *text);
void print_number(uint32_t value);
/* "name value\n" */
void print_value(const char *name, uint32_t value);

/* Stack bytes that `f` used at most, itself and all it called, and what it returned. */
uint32_t stack_used(int32_t (*f)(void), int32_t *result);

/* Instructions since the first call, to about 40, under QEMU's `-icount shift=0`; no more than 600 million between two
 * calls. Boards with SysTick. */
uint32_t instructions(void);

#endif
