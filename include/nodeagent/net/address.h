/* An IP address and a port, as the kernel has them. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

union net_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Of "10.0.0.1" or "fd00::1". False: it is neither. */
bool net_address_parse(union net_address *address, const char *text, uint16_t port);

socklen_t net_address_length(const union net_address *address);
uint16_t net_address_port(const union net_address *address);

/* Whatever their ports. */
bool net_address_is_same_host(const union net_address *one, const union net_address *other);
