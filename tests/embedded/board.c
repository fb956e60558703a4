/* Start-up, semihosting and stack measurement for the Cortex-M tests. No C library. */
#include "board.h"

extern uint32_t __stack_top, __stack_bottom, __bss_start, __bss_end, __data_start, __data_end, __data_load;

void reset(void);

static uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(int status)
{
    /* SYS_EXIT: "application exit" gives status 0, "run-time error" gives 1. */
    semihosting(0x18, (const void *)(uintptr_t)(status == 0 ? 0x20026 : 0x20023));
    for (;;) {
    }
}

static void fault(void)
{
    print("fault: the processor stopped at an exception\n");
    leave(1);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    (void (*)(void)) & __stack_top, reset, fault, fault, fault, fault, fault,
};

void print(const char *text)
{
    semihosting(0x04, text); /* SYS_WRITE0 */
}

void print_number(uint32_t value)
{
    char digits[11];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    print(digits + at);
}

void print_value(const char *name, uint32_t value)
{
    print(name);
    print(" ");
    print_number(value);
    print("\n");
}

/* Fills the free stack with a pattern, calls, and looks how far the pattern is gone. */
__attribute__((noinline)) uint32_t stack_used(int32_t (*f)(void), int32_t *result)
{
    volatile uint32_t *const bottom = &__stack_bottom;
    uint32_t *const here = __builtin_frame_address(0);
    /* Some words stay free for this function's own use below its frame address. */
    volatile uint32_t *const top = here - 16;
    for (volatile uint32_t *p = bottom; p < top; p++)
        *p = 0xA5A5A5A5u;
    const uint32_t *sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    *result = f();
    volatile uint32_t *p = bottom;
    while (p < top && *p == 0xA5A5A5A5u)
        p++;
    return (uint32_t)((uintptr_t)sp - (uintptr_t)p);
}

/* Under `-icount shift=0` QEMU's SysTick advances once for 40 instructions. It counts down in 24 bits. */
uint32_t instructions(void)
{
    volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010;
    static uint32_t total, last;
    if (systick[0] == 0) {
        systick[1] = last = 0xFFFFFF;
        systick[2] = 0;
        systick[0] = 5; /* on, the processor's clock */
    }
    const uint32_t now = systick[2];
    total += (last - now) & 0xFFFFFF;
    last = now;
    return 40 * total;
}

void reset(void)
{
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: the FPU on */
    __asm__ volatile("dsb\n isb");
#endif
    const volatile uint32_t *from = &__data_load;
    for (volatile uint32_t *to = &__data_start; to < &__data_end;)
        *to++ = *from++;
    for (volatile uint32_t *p = &__bss_start; p < &__bss_end; p++)
        *p = 0;
    leave(run());
}
