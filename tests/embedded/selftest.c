/* The shipped archive on a microcontroller: its own self test, and what the size table needs from a device. */
#include "board.h"
#include "hybridq.h"

int run(void)
{
#ifdef MUST_FAIL /* the harness itself: a failing program must be seen as one */
    return 1;
#else
    int32_t status = HQ_ERROR_SELF_TEST;
    const uint32_t stack = stack_used(hq_selftest, &status);
    print("tier ");
    print(hq_tier_name(hq_tier_active()));
    print("\nselftest ");
    print(hq_status_string(status));
    print("\n");
    print_value("stack hq_selftest", stack);
    /* Scratch for a matrix of 64 x 256 as TQ2_0, and for a vector of 256, with the default fit (mse). */
    print_value("scratch hq_quantize", (uint32_t)hq_quantize_workspace_size(HQ_FORMAT_TQ2_0, NULL, 64, 256));
    const uint32_t codes = (uint32_t)hq_codes_workspace_size(NULL, 256);
    print_value("scratch hq_fit_ternary", codes);
    print_value("scratch hq_ternary_codes", codes);
    print_value("scratch hq_five_level_codes", codes);
#ifdef ROOMS /* the tests that need more than 16 KiB of RAM */
    int32_t rooms[2] = {HQ_ERROR_SELF_TEST, HQ_ERROR_SELF_TEST};
    print_value("stack hq_selftest_constrain", stack_used(hq_selftest_constrain, &rooms[0]));
    print_value("stack hq_selftest_learn", stack_used(hq_selftest_learn, &rooms[1]));
    if (rooms[0] != HQ_OK || rooms[1] != HQ_OK) {
        return 1;
    }
#endif
    return status != HQ_OK || hq_version() != HQ_VERSION;
#endif
}
