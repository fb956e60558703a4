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
    print_value("version-agrees", hq_version() == HQ_VERSION);
    return status != HQ_OK || hq_version() != HQ_VERSION;
#endif
}
