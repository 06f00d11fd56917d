using System.Net;
using System.Net.Sockets;
using LServe.Sessions;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LServe.Silo;

/// <summary>Where the server listens.</summary>
internal sealed record ListenAddress(IPAddress Ip, int Port)
{
    /// <exception cref="StartException">The host is no address.</exception>
    public static ListenAddress Of(SiloOptions options) => new(
        options.Host switch
        {
            "localhost" => IPAddress.Loopback,
            "*" => IPAddress.Any,
            _ => IPAddress.TryParse(options.Host, out var ip)
                ? ip
                : throw new StartException($"--host must be an IP address, localhost or *, not '{options.Host}'."),
        },
        options.Port);

    public bool IsLocal => IPAddress.IsLoopback(Ip);

    /// <summary>How this server is called in reports, and where others reach it.</summary>
    /// <param name="listening">With the port that was taken.</param>
    public SiloIdentity Identify(Uri listening)
    {
        var reached = Ip.Equals(IPAddress.Any) ? new UriBuilder(listening) { Host = Environment.MachineName }.Uri : listening;
        return new($"{Environment.MachineName}:{listening.Port}", reached, Edition.Name);
    }

    public void Apply(KestrelServerOptions kestrel) => kestrel.Listen(Ip, Port);

    /// <summary>What to tell when listening failed, or null when it failed for another reason.</summary>
    public StartException? Explain(Exception failure)
    {
        if (failure is AddressInUseException || failure.InnerException is AddressInUseException)
            return new($"port {Port} of {Ip} is taken; stop what listens there, or choose another with --port N (0 takes a free one).", failure);
        return (failure as SocketException ?? failure.InnerException as SocketException)?.SocketErrorCode switch
        {
            SocketError.AccessDenied => new($"this user may not listen on port {Port}; choose one from 1024 on with --port N.", failure),
            SocketError.AddressNotAvailable => new($"{Ip} is no address of this machine; choose another with --host ADDRESS.", failure),
            _ => null,
        };
    }
}
