using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>
/// The number by which a session is found in tables and named in the file system: the head of a cryptographic hash of its key, so that
/// no one can choose a name that collides with another's.
/// </summary>
internal static class SessionId
{
    public static long Of(SessionKey key)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString()));
        return BinaryPrimitives.ReadInt64BigEndian(hash);
    }
}
