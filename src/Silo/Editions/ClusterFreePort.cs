using System.Net;
using System.Net.Sockets;

namespace LServe.Silo;

/// <summary>TCP ports of this machine.</summary>
internal static class FreePort
{
    public static int Find()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <exception cref="StartException">It can't be listened on.</exception>
    public static void Check(IPAddress address, int port, string what)
    {
        try
        {
            using var probe = new TcpListener(address, port);
            probe.Start();
        }
        catch (SocketException problem) when (problem.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            throw new StartException($"{address} is no address of this machine; give one that the other silos reach with --cluster PROVIDER,address=IP.", problem);
        }
        catch (SocketException problem)
        {
            throw new StartException($"the {what} port {port} is taken; choose another with --cluster PROVIDER,{what}=PORT.", problem);
        }
    }
}
