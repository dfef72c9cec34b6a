/* The rules of iSCSI volumes, whose qualified names have three formats. */
#include "volume-rules.h"

#include <ctype.h>
#include <string.h>

enum {
    LUN_MAX = 255,
    SESSION_NAME_BYTES_MAX = 64, /* <volume>:<portal>, which names the interface */
    EUI_DIGITS = 16,
    NAA_DIGITS = 32,
};

static bool is_year_and_month(const char *text)
{
    static const char shape[] = "dddd-dd.";

    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    return true;
}

/* "iqn.2003-01.example.com:disk1", perhaps with something before it, as the server allows. */
static bool is_iqn(const char *name)
{
    const char *forbidden = name; /* the last one */
    const char *colon = name;     /* where the last authority ended: it may hold the next one */

    for (const char *c = name; (c = strpbrk(c, ",;*&$| \t\n\f\r")); c++)
        forbidden = c;
    for (; (name = strstr(name, "iqn.")); name++) {
        const char *authority = name + strlen("iqn.2003-01.");

        if (!is_year_and_month(name + strlen("iqn.")))
            continue;
        colon = MAX(colon, authority);
        while (isalnum((unsigned char)*colon) || *colon == '-' || *colon == '.')
            colon++;
        if (colon > authority && *colon == ':' && colon[1] && forbidden <= colon)
            return true;
    }
    return false;
}

/* "eui." or "naa." (any character may stand for the dot) and so many letters or digits. */
static bool has_digits(const char *name, size_t count)
{
    const char *digits = name + strlen("eui");
    size_t length;

    if (!*digits || *digits == '\n')
        return false;
    do
        digits++;
    while (((unsigned char)*digits & 0xc0) == 0x80); /* the rest of a character in UTF-8 */
    for (length = 0; isalnum((unsigned char)digits[length]); length++)
        ;
    return length == count && !digits[length];
}

static const char *check_iscsi_name(const char *name)
{
    if (str_has_prefix(name, "iqn"))
        return is_iqn(name) ? NULL : "must be a name such as iqn.2003-01.example.com:disk1";
    if (str_has_prefix(name, "eui"))
        return has_digits(name, EUI_DIGITS) ? NULL : "must be \"eui.\" and 16 letters or digits";
    if (str_has_prefix(name, "naa"))
        return has_digits(name, NAA_DIGITS) ? NULL : "must be \"naa.\" and 32 letters or digits";
    return "must begin with iqn, eui or naa";
}

void validate_iscsi_volume(const struct volume_check *check, const struct path *path)
{
    const struct iscsi_volume *source = check->volume->iscsi;

    require_some_in(check->report, path, "targetPortal", source->target_portal);
    if (require_some_in(check->report, path, "iqn", source->iqn))
        require_in(check->report, path, "iqn", source->iqn, check_iscsi_name(source->iqn));
    validate_range(source->lun, LUN_MAX, path, "lun", check->report);
    if ((source->chap_auth_discovery || source->chap_auth_session) && !source->secret_ref)
        report_error_in(check->report, path, "secretRef", FINDING_REQUIRED,
                        "must be set for CHAP authentication");
    if (source->initiator_name)
        require_in(check->report, path, "initiatorname", source->initiator_name,
                   check_iscsi_name(source->initiator_name));
}

void validate_iscsi_initiator(const struct volume_check *check)
{
    const struct iscsi_volume *source = check->volume->iscsi;
    const char *name = check->volume->name ? check->volume->name : "";
    size_t length =
        strlen(name) + strlen(":") + (source->target_portal ? strlen(source->target_portal) : 0);

    if (source->initiator_name && length > SESSION_NAME_BYTES_MAX)
        report_error_in(check->report, check->path, "name", FINDING_INVALID,
                        "the volume's name, \":\" and the target portal must have at most %d "
                        "bytes together when initiatorName is set",
                        SESSION_NAME_BYTES_MAX);
}
