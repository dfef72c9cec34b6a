/* Remedies, by words that OpenSSL and curl have for what is wrong. */
#include "remedy.h"
#include "nodeagent/base/macros.h"

#include <string.h>

struct remedy {
    const char *trouble;
    const char *what;
};

#define AUTHORITY                                                                                  \
    "is it another server, or must certificate-authority of the kubeconfig be replaced?"
#define CLIENT                                                                                     \
    "the server does not accept the client's certificate of the kubeconfig, which must be one "    \
    "that "                                                                                        \
    "is valid now, and of the server's own authority"
#define OLD "the server must speak TLS 1.2 or a later one"

/* An alert is what the server says of us: it stands before what we say of the server. */
static const struct remedy known[] = {
    {"alert protocol version", OLD},
    {"alert handshake failure", "the server wants another version or another cipher of TLS"},
    {"alert unrecognized name",
     "set tls-server-name of the kubeconfig to a name that the server knows"},
    {" alert ", CLIENT},
    {"certificate has expired",
     "the server's certificate must be renewed, unless this machine's clock is wrong"},
    {"certificate is not yet valid",
     "this machine's clock may be wrong, or the server's when it got its certificate"},
    {"issuer certificate", AUTHORITY},
    {"self-signed certificate", AUTHORITY},
    {"subject name",
     "the server's certificate is for other names; set server or tls-server-name of the "
     "kubeconfig to one of them, or have it made for this one"},
    {"wrong version number", "it does not speak TLS; is it the right port, and https the right "
                             "beginning of server in the kubeconfig?"},
    {"unsupported protocol", OLD},
    {"legacy sigalg", OLD},
    {"HTTP/0.9", "it does not speak HTTP; is it the right port, and http the right beginning of "
                 "server in the kubeconfig?"},
};

#define STRANGER                                                                                   \
    "if it goes on: is it the right port, is http or https right in the kubeconfig, and does the " \
    "server accept the client's certificate?"

/* Of these alone one does not know: servers come and go. With TLS 1.3 a server that refuses the
 * client has closed before it is seen why. */
static const struct remedy of_strangers[] = {
    {"SSL_ERROR_SYSCALL", "it closes the connection amid the handshake; is it the right port, and "
                          "is there a server behind it?"},
    {"Broken pipe", STRANGER},
    {"Connection reset", STRANGER},
    {"SSL_write", STRANGER},
    {"getpeername() failed", STRANGER},
    {"not closed cleanly", STRANGER},
};

static void add(struct err *err, const char *what)
{
    struct err before = *err;
    size_t length = strlen(before.text);

    while (length && before.text[length - 1] == ' ')
        length--;
    err_set(err, before.code, "%.*s; %s", (int)length, before.text, what);
}

static bool add_of(struct err *err, const struct remedy *remedies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(err->text, remedies[i].trouble)) {
            add(err, remedies[i].what);
            return true;
        }
    return false;
}

void remedy_add(struct err *err, bool stranger)
{
    if (!add_of(err, known, array_size(known)) && stranger)
        add_of(err, of_strangers, array_size(of_strangers));
}

void remedy_add_unauthorized(struct err *err)
{
    add(err, "it does not know who asks: the certificate or token of the kubeconfig may be no "
             "longer valid, or another cluster's");
}
