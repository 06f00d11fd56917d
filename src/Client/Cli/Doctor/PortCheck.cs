using System.Net;
using System.Net.Sockets;
using LServe.Client;
using LServe.Contracts;

namespace LServe.Cli.Doctor;

/// <summary>Whether serve would get its port.</summary>
internal static class PortCheck
{
    public static async Task<Finding> LookAsync(int port, CancellationToken cancellation)
    {
        var what = $"port {port}";
        if (port is < 1 or > 65535) return new(Health.Broken, what, "a port is a number from 1 to 65535");
        if (IsFree(port)) return new(Health.Good, what, "free");
        return await ModelServedAsync(port, cancellation) is { } model
            ? new(Health.Good, what, $"a server of this project listens, with {model}")
            : new(Health.Broken, what, "another program listens; start the server with --port and another number");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<string?> ModelServedAsync(int port, CancellationToken cancellation)
    {
        using var client = new LServeClient(new LServeClientOptions { Address = new($"http://127.0.0.1:{port}"), RequestTimeout = TimeSpan.FromSeconds(2), Retry = RetryOptions.None });
        try
        {
            return (await client.ListModelsAsync(cancellation)).FirstOrDefault()?.Id;
        }
        catch (LServeException)
        {
            return null;
        }
    }
}
